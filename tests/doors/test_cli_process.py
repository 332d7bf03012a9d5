"""The command as a process: terminals, pipes and interruptions."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time

import pytest
from calling import everything_below, spawn, write_picture

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_python_dash_m_is_the_same_command():
    out, err = spawn("--version").communicate(timeout=60)
    assert re.fullmatch(r"deixis \d+\.\d+\.\d+\n", out)
    assert err == ""


def test_the_installed_script_is_the_same_command():
    script = os.path.join(os.path.dirname(sys.executable), "deixis")  # noqa: PTH118, PTH120
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("deixis ")


def test_ctrl_c_leaves_finished_results_whole(place, tiny_folder):
    """Stopped in the middle of many images: exit code 130, whole folders, nothing begun left behind."""
    images = [write_picture(place / f"image-{number:02}.png", seed=number) for number in range(40)]
    running = spawn("ground", *images, "-p", "opacity", "-m", tiny_folder, "-o", "out", cwd=place)
    until(lambda: len(list(place.glob("out/image-*"))) >= 2, running)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=100)
    assert running.returncode == 130
    done = sorted(place.glob("out/*"))
    assert 2 <= len(done) < len(images)
    # The last one may have been put in place just before the interruption, and not be counted yet.
    counted = re.fullmatch(r"Interrupted: (\d+) of 40 images are done, and whole\.", err.splitlines()[-1])
    assert counted
    assert len(done) - int(counted[1]) in (0, 1)
    for folder in done:
        assert everything_below(folder) == ["01-opacity.npz", "01-opacity.png", "groundings.json"]
        json.loads((folder / "groundings.json").read_text(encoding="utf-8"))


def test_a_terminal_sees_a_bar_and_a_pipe_sees_pure_json(place, picture, tiny_folder):
    """Standard error is a terminal, standard output a pipe."""
    ours, theirs = pty.openpty()
    command = [
        sys.executable,
        "-m",
        "deixis",
        "ground",
        str(picture),
        "-p",
        "opacity",
        "-m",
        str(tiny_folder),
        "--json",
    ]
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, cwd=place, env=environment)
    os.close(theirs)
    drawn = b"".join(iter(lambda: read_terminal(ours), b""))
    out, _ = running.communicate(timeout=60)
    assert json.loads(out)["images"][0]["folder"] == "chest"
    said = ESCAPES.sub("", drawn.decode(errors="replace"))
    assert "chest.png" in said
    assert "UNet evaluations" in said


def test_a_reader_that_leaves_is_no_error():
    command = f"{sys.executable} -m deixis recipes paper | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("paper")
    assert done.stderr == ""


def until(true, running, seconds=200):
    """Wait for something to become true while the process runs."""
    end = time.monotonic() + seconds
    while not true():
        if running.poll() is not None:
            pytest.fail(f"ended early: {running.communicate()}")
        if time.monotonic() > end:
            running.kill()
            pytest.fail("nothing happened in time")
        time.sleep(0.02)


def read_terminal(descriptor):
    try:
        return os.read(descriptor, 65536)
    except OSError:  # Linux says so where other systems give an empty read
        return b""
