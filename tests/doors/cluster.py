"""A Ray cluster of two machines on this one, ended whatever happens to the test; and what kills workers of it."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

SRC = Path(__file__).parents[2] / "src"
# `ray start`, of which nothing listens beyond the loopback: Ray itself would take another address of this machine.
RAY_START = """
from ray._private import services
services.get_node_ip_address = lambda address=None: "127.0.0.1"
from ray.scripts.scripts import main
main()
"""

DEADLY = '''
"""An image that kills who decodes it, and a model that kills itself over a word."""

import os
import secrets
import signal
from pathlib import Path

from deixis.images.source import Reader


def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)


READER = Reader(("DEADLY",), lambda head: head.startswith(b"DEADLY"), die)


class Family:
    def recognises(self, place: Path) -> bool:
        return (place / "deadly.json").is_file()

    def load(self, place, label, placing):
        from deixis.models.catalog import CATALOG
        from deixis.models.counted import CountedModel
        from deixis.models.loading import load

        class Deadly(CountedModel):
            def embed(self, phrases):
                if any("deadly" in phrase for phrase in phrases):
                    die()
                return super().embed(phrases)

        return Deadly(load(CATALOG["phantom"].folder, "cpu"))


FAMILY = Family()
'''


@dataclass(frozen=True)
class Cluster:
    """A cluster, and how programs reach it and find the plug-in above."""

    address: str
    environment: dict[str, str]


def plugged(folder: Path) -> dict[str, str]:
    """The environment in which `DEADLY` is installed beside deixis, and `folder`/deadly is a model."""
    (folder / "deadly_plugin.py").write_text(DEADLY)
    info = folder / "deadly_plugin-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: deadly-plugin\nVersion: 0\n")
    (info / "entry_points.txt").write_text(
        "[deixis.images]\ndeadly = deadly_plugin:READER\n[deixis.models]\ndeadly = deadly_plugin:FAMILY\n"
    )
    (folder / "deadly").mkdir()
    (folder / "deadly" / "deadly.json").write_text("{}")
    path = os.pathsep.join([str(folder), str(SRC), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {
        **os.environ,
        "PYTHONPATH": path,
        "OMP_NUM_THREADS": "1",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_worker_niceness": "0",  # by default others' work goes before that of Ray's workers
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # which is what makes a driver look for it on the loopback
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(16),
    }


@contextmanager
def two_raylets(folder: Path) -> Iterator[Cluster]:
    """Two raylets with a core and, in name only, a GPU each, on ports that were free a moment ago; no dashboard."""
    environment = plugged(folder)
    port = free_port()
    # Paths of sockets are short, so the session is not below pytest's folder.
    session = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
    common = ["--num-cpus=1", "--num-gpus=1", "--object-store-memory=100000000", "--block"]
    head = [
        "--head",
        f"--port={port}",
        "--node-ip-address=127.0.0.1",
        "--include-dashboard=false",
        f"--temp-dir={session}",
    ]
    started = []
    try:
        for own in (head, [f"--address=127.0.0.1:{port}", "--node-ip-address=127.0.0.1"]):
            log = folder / f"ray{len(started)}.log"
            with log.open("w") as said:
                command = [sys.executable, "-c", RAY_START, "start", *own, *common]
                own_environment = environment | {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "1"}
                started.append(subprocess.Popen(command, stdout=said, stderr=said, env=own_environment, cwd=folder))
            _until_started(started[-1], log)
        yield Cluster(f"127.0.0.1:{port}", environment)
    finally:
        for process in reversed(started):
            end(process)
        shutil.rmtree(session, ignore_errors=True)


def _until_started(process: subprocess.Popen, log: Path) -> None:
    last = time.monotonic() + 90
    while "Ray runtime started" not in log.read_text():
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < last, log.read_text()
        time.sleep(0.1)


def end(process: subprocess.Popen) -> None:
    """A process and all below it, by their ids, at once: a raylet that is asked politely drains for half a minute."""
    try:
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
    except psutil.NoSuchProcess:
        family = []
    for one in family:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    psutil.wait_procs(family, timeout=15)
    process.wait(15)


def free_port() -> int:
    """A port of this machine that nobody uses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]
