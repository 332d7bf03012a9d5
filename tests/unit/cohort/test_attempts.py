"""The ledger: who dies at an image is remembered, in this run, until the image is set aside."""

import multiprocessing
import os
import signal

from deixis.cohort.attempts import DEATHS, Ledger


def worker(folder, run, images, deadly):
    """Goes through a block as a worker does, and dies where it must."""
    with Ledger(folder, run).attempt(3, "ground") as attempt:
        for image in images:
            if attempt.starting(image) and image == deadly:
                os.kill(os.getpid(), signal.SIGKILL)


def go(folder, run, images, deadly=None):
    process = multiprocessing.get_context("fork").Process(target=worker, args=(folder, run, images, deadly))
    process.start()
    process.join()
    return process.exitcode


def test_a_note_stands_only_as_long_as_the_block(tmp_path):
    with Ledger(tmp_path / "notes", "r1").attempt(3, "ground") as attempt:
        assert attempt.starting("a.png")
        assert attempt.note.read_text().splitlines()[-1] == "at a.png"
        assert str(os.getpid()) in attempt.note.read_text()
    assert list((tmp_path / "notes").iterdir()) == []


def test_an_exception_is_no_death(tmp_path):
    attempt = Ledger(tmp_path, "r1").attempt(3, "ground")
    attempt.__enter__().starting("a.png")
    assert len(list(tmp_path.iterdir())) == 1
    assert not attempt.__exit__(ValueError, ValueError("x"), None)
    assert list(tmp_path.iterdir()) == []


def test_an_image_that_kills_is_set_aside_and_its_neighbours_are_not(tmp_path):
    images = ["a.png", "begin r1 b.png", "c.png"]
    for _ in range(DEATHS):
        assert go(tmp_path, "r1", images, deadly=images[1]) == -signal.SIGKILL
    with Ledger(tmp_path, "r1").attempt(3, "ground") as attempt:
        assert [attempt.starting(image) for image in images] == [True, False, True]
    assert list(tmp_path.iterdir()) == []


def test_a_death_in_another_run_is_nobodys_fault(tmp_path):
    """Where the driver was killed, its workers died with it; a run has to see two deaths itself."""
    images = ["a.png", "b.png"]
    for run in ("r1", "r2", "r3", "r3"):
        assert go(tmp_path, run, images, deadly="b.png") == -signal.SIGKILL
    with Ledger(tmp_path, "r4").attempt(3, "ground") as attempt:
        assert attempt.starting("b.png")
    for _ in range(DEATHS):
        go(tmp_path, "r5", images, deadly="b.png")
    with Ledger(tmp_path, "r5").attempt(3, "ground") as attempt:
        assert not attempt.starting("b.png")


def test_names_of_several_lines_keep_to_one(tmp_path):
    images = ["a\nbegin r1 x.png", "a\rb.png"]
    for _ in range(DEATHS):
        go(tmp_path, "r1", images, deadly=images[0])
    with Ledger(tmp_path, "r1").attempt(3, "ground") as attempt:
        assert [attempt.starting(image) for image in images] == [False, True]
