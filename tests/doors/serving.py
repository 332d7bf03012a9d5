"""`deixis serve` in a process of its own, ended whatever happens to the test."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

ADDRESS = re.compile(r"http://\S+/")


@dataclass(frozen=True)
class Served:
    """A server that answers.

    Args:
        url: its address, without the slash at the end.
        process: it.
        log: where its standard error goes.
    """

    url: str
    process: subprocess.Popen
    log: Path

    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(encoding="utf-8")

    def resident(self) -> int:
        """Bytes that it and its children have in memory, in the kernel's count."""
        return sum(_resident(pid) for pid in (self.process.pid, *_children(self.process.pid)))


def start(folder: Path, *arguments: object, **environment: str) -> subprocess.Popen:
    """The process, its standard output a pipe, its standard error in `folder`/serve.log."""
    command = [sys.executable, "-m", "deixis", "serve", *map(str, arguments)]
    with (folder / "serve.log").open("w", encoding="utf-8") as log:
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder, env={**os.environ, **environment}
        )


@contextmanager
def served(folder: Path, *arguments: object, seconds: float = 300, **environment: str) -> Iterator[Served]:
    """A server on a port that the system chose, once its model is loaded."""
    process = start(folder, "--port", 0, *arguments, **environment)
    try:
        line = process.stdout.readline()
        found = ADDRESS.search(line)
        assert found, (line, (folder / "serve.log").read_text(encoding="utf-8"))
        one = Served(found[0].rstrip("/"), process, folder / "serve.log")
        until(lambda: httpx2.get(f"{one.url}/v1/ready", timeout=10).status_code == 200, one, seconds)
        yield one
    finally:
        end(process)


def end(process: subprocess.Popen) -> int:
    """Stop it, by force if it does not; gives its exit code."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
    if process.stdout is not None:
        process.stdout.close()
    return process.wait(60)


def until(true, one: Served, seconds: float) -> None:
    """Wait for something to become true while the server runs."""
    last = time.monotonic() + seconds
    while not true():
        assert one.process.poll() is None, one.said()
        assert time.monotonic() < last, "nothing happened in time"
        time.sleep(0.05)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except FileNotFoundError:  # it has just ended
        return 0
