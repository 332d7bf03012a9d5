"""Accidents, each really done to `deixis batch` on a Ray cluster of two raylets: nothing is lost, and nothing doubled.

The final table is compared row by row with that of a run on this machine that nobody disturbed.
"""

import functools
import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from cluster import free_port, two_raylets
from cohorts import PHRASES, answers, errors, shards, write_manifest, write_phantoms

IMAGES, FAR = 8, 2
HOW = ("-r", "instant", "--block", "2", "--device", "cpu")
pytestmark = pytest.mark.timeout(600)
# Where rows of the same item differ between manifests of other places.
PLACED = ("seconds", "row", "image")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("cohort")


@pytest.fixture(scope="module")
def cluster(place):
    with two_raylets(place) as running:
        yield running


@pytest.fixture(scope="module")
def pictures(place):
    return write_phantoms(place, IMAGES + FAR)


@pytest.fixture(scope="module")
def good(place, pictures):
    """A manifest in which all is well."""
    return write_manifest(place / "good.csv", [row(file.stem, file.name) for file in pictures])


@pytest.fixture(scope="module")
def undisturbed(cluster, good, place):
    done = batch(cluster, good, place / "undisturbed", "--engine", "local", "--workers", "1")
    assert done.returncode == 0, done.stderr
    return answers(place / "undisturbed", without=PLACED)


def row(name, image, phrases=PHRASES):
    return {"id": name, "image": image, "phrases": phrases}


def started(cluster, manifest, output, *more):
    command = [sys.executable, "-m", "deixis", "batch", str(manifest), "-o", str(output), *HOW, *more]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=cluster.environment, cwd=output.parent
    )


def batch(cluster, manifest, output, *more):
    process = started(cluster, manifest, output, *more)
    out, err = process.communicate(timeout=500)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def on_ray(cluster):
    return ("--engine", "ray", "--address", cluster.address, "--workers", "2")


def until(true, process, seconds=400):
    """Wait for something to become true while a run is under way; gives what it was."""
    last = time.monotonic() + seconds
    while not (found := true()):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < last, "nothing happened in time"
        time.sleep(0.02)
    return found


def grounding(output):
    """The process that is at a block that neither kills it nor is finished, once there is one."""
    for note in output.glob("_attempts/*.ground"):
        try:
            lines = note.read_text().splitlines()
        except FileNotFoundError:
            continue
        if len(lines) >= 2 and lines[-1].startswith("at chest"):
            return int(lines[0].rpartition(" ")[2])
    return None


@contextmanager
def served(folder, port, *, lost=""):
    """The folder over HTTP, on the loopback; whoever asks for the file `lost` is cut off."""
    handler = functools.partial(Handler, directory=str(folder), lost=lost)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *given, lost, **named):
        self.lost = lost
        super().__init__(*given, **named)

    def parse_request(self):
        """The only place before both GET and HEAD."""
        return super().parse_request() and not (self.lost and self.path.endswith(self.lost))

    def log_message(self, *_):
        pass


@contextmanager
def small_disk(folder, size):
    """A file system of its own; gives what makes it larger."""
    folder.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mounted, check=False, capture_output=True).returncode:
        pytest.skip("only root can mount a small disk")
    try:
        yield lambda more: subprocess.run(["mount", "-o", f"remount,size={more}", str(folder)], check=True)
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_bad_rows_deadly_images_a_killed_worker_and_a_network_that_goes_away(cluster, place, pictures, undisturbed):
    """Exit code 1, a reason for every item without an answer, all others as if nothing had been; when the network is
    back the same command does what it kept away, and nothing else."""
    port, output = free_port(), place / "accidents"
    (place / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    (place / "deadly.png").write_bytes(b"DEADLY")
    near = [row(file.stem, file.name) for file in pictures[:IMAGES]]
    far = [row(file.stem, f"http://127.0.0.1:{port}/{file.name}") for file in pictures[IMAGES:]]
    bad = [row("broken", "broken.png"), row("killer", "deadly.png"), row("", "")]
    deadly = row("deadly phrase", str(pictures[0]), "deadly")
    manifest = write_manifest(place / "bad.csv", [*near[:3], *bad, deadly, *near[3:], *far])
    how = (*on_ray(cluster), "-m", str(place / "deadly"))

    with served(place, port, lost=pictures[-1].name):
        process = started(cluster, manifest, output, *how)
        os.kill(until(lambda: grounding(output), process), signal.SIGKILL)
        out, err = process.communicate(timeout=500)
    assert process.returncode == 1, (out, err)
    found = errors(output)
    assert set(found) == {"broken", "killer", "", "deadly phrase", far[-1]["id"]}
    assert found["broken"].startswith("image: ")
    assert found["killer"].startswith("crash: It ended its worker 2 times as it was being decoded")
    assert found["deadly phrase"].startswith("crash: It ended its worker 2 times as it was being grounded")
    assert found[""] == "manifest: The row names no image. Fill in its column `image`."
    assert found[far[-1]["id"]].startswith("unreachable: ")
    assert all(told in out for told in ("deadly.png", "set aside", "names no image"))
    assert len(answers(output)) == 2 * (IMAGES + FAR - 1)

    whole = [shard.read_bytes() for shard in shards(output)[:-1]]
    with served(place, port):
        again = batch(cluster, manifest, output, *how, "--min-workers", "1")
    assert again.returncode == 1, again.stderr
    assert set(errors(output)) == {"broken", "killer", "", "deadly phrase"}
    assert [shard.read_bytes() for shard in shards(output)[:-1]] == whole
    assert answers(output, without=PLACED) == undisturbed


def test_a_full_disk_and_a_killed_driver(cluster, place, good, undisturbed):
    """A disk that fills up ends the run with the reason, a kill -9 without one; the same command goes on after both."""
    disk = place / "disk"
    with small_disk(disk, "72k") as grow:
        output = disk / "out"
        full = batch(cluster, good, output, *on_ray(cluster))
        assert full.returncode == 2, (full.stdout, full.stderr)
        assert "no space left on device" in full.stderr
        assert "the same command then goes on" in full.stderr
        assert not list(output.glob(".*"))
        before = shards(output)
        grow("8m")
        process = started(cluster, good, output, *on_ray(cluster))
        until(lambda: len(shards(output)) > len(before), process)
        process.kill()
        process.communicate()
        killed = shards(output)
        done = batch(cluster, good, output, *on_ray(cluster), "--gpus", "0.5")
        assert done.returncode == 0, done.stderr
        assert len(before) < len(killed) < len(shards(output)) == (IMAGES + FAR) // 2
        assert answers(output, without=PLACED) == undisturbed


def test_an_evaluation_on_the_cluster_has_the_bytes_of_one_here(cluster, place):
    """Every image with all controls, by workers of the same kind as those of a cohort."""
    told = ["evaluate", "phantom", "--limit", "2", "-r", "fast", "--prior-cases", "0", "--device", "cpu"]
    for folder, how in (("here", ()), ("there", on_ray(cluster))):
        command = [sys.executable, "-m", "deixis", *told, "-o", str(place / folder), *how]
        done = subprocess.run(command, capture_output=True, text=True, env=cluster.environment, check=False)
        assert done.returncode == 0, done.stderr
    assert (place / "there" / "cases.jsonl").read_bytes() == (place / "here" / "cases.jsonl").read_bytes()
