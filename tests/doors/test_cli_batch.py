"""`deixis batch` as it is typed: a manifest with broken rows, one that goes on, a look before, and the library."""

import re
import signal
import time
from dataclasses import MISSING, fields

import pytest
from calling import call, spawn, write_picture
from cohorts import answers, errors, shards, write_manifest

import deixis
from deixis.cli.batch import BatchOptions
from deixis.cohort.order import Cohort
from deixis.crew import Crew

ROWS, BROKEN = 200, 2


@pytest.fixture
def batch(capsys, tiny_folder):
    """`deixis batch ARGUMENTS` with the tiny model."""
    return lambda *arguments: call(capsys, "batch", *arguments, "-m", tiny_folder, "--device", "cpu", "-r", "instant")


@pytest.fixture
def manifest(place):
    """Two hundred rows of fifty pictures, of which one row in a hundred is broken."""
    rows = [
        {"id": f"r{number}", "image": f"{number % 50:02}.png", "phrases": f"opacity {number // 50}"}
        for number in range(ROWS - BROKEN)
    ]
    for name in {row["image"] for row in rows}:
        write_picture(place / name, seed=int(name[:2]))
    (place / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    rows.insert(70, {"id": "nothing", "image": "", "phrases": "mass"})
    rows.insert(150, {"id": "damaged", "image": "broken.png", "phrases": "mass"})
    return write_manifest(place / "m.csv", rows)


def test_one_row_in_a_hundred_is_broken(batch, manifest, place):
    """Exit code 1, a table that says which and why, and all good rows done, by two workers as by one."""
    done = batch(manifest, "-o", "out", "--workers", 2)
    assert done.code == 1
    assert f"51 images, {ROWS - BROKEN} answers in out" in done.out
    table = done.out.splitlines()
    assert re.search(r"^72 +– +manifest +The row names no image", "\n".join(table), re.MULTILINE)
    assert re.search(r"^152 +broken.png +image +.*damaged", "\n".join(table), re.MULTILINE)
    assert "2 failed, all else is done; out/_errors.jsonl lists them" in done.err
    found = answers(place / "out")
    assert set(found) == {(f"r{number}", 0) for number in range(ROWS - BROKEN)}
    assert set(errors(place / "out")) == {"", "damaged"}
    batch(manifest, "-o", "alone", "--workers", 1, "--block", 20)
    assert answers(place / "alone") == found


def test_a_cohort_in_which_all_is_well(batch, place):
    """A folder and phrases of the command; the same command again does nothing, and says so."""
    write_picture(place / "set" / "a.png") if (place / "set").mkdir() is None else None
    first = batch("set", "-o", "out", "-p", "left effusion", "-p", "mass", "--metrics-port", 0)
    assert first.code == 0
    assert first.out == "1 images, 2 answers in out\n"
    assert re.search(r"Metrics are at http://127.0.0.1:\d+/metrics", first.err)
    again = batch("set", "-o", "out", "-p", "left effusion", "-p", "mass")
    assert (again.code, again.out) == (0, first.out)
    assert "1 of 1 images are done" in again.err
    other = batch("set", "-o", "out", "-p", "mass")
    assert other.code == 2
    assert "phrases: ['left effusion', 'mass'] there, ['mass'] now" in other.err


def test_a_look_before(batch, manifest, place):
    """What it would take, what would fail, and nothing written."""
    done = batch(manifest, "-o", "out", "--dry-run")
    assert done.code == 1
    assert re.search(r"images +51 in 2 files of results", done.out)
    assert re.search(r"readable +50 of 51 that were tried", done.out)
    assert re.search(r"an image +[\d.]+ s of a worker, [\d.]+ KiB of results", done.out)
    for told in ("time ", "space ", "memory ", "names no image", "broken.png"):
        assert told in done.out
    assert not (place / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nothing.csv", "-o", "out"), "is not there"),
        ((".", "-o", "out", "-p", " "), "A phrase is empty"),
        ((".", "-o", "out", "--engine", "rai"), "Did you mean 'ray'?"),
        ((".", "-o", "out", "--heat", "jpg"), "Known: none, npz, zarr"),
        ((".", "-o", "out", "--workers", "1", "--min-workers", "2"), "more than 1 at most"),
    ],
)
def test_what_is_wrong_is_said_on_one_line(batch, place, arguments, told):
    write_picture(place / "a.png")
    done = batch(*arguments)
    assert done.code == 2
    assert len(done.lines) == 1
    assert told in done.err


def test_without_the_extra_it_says_what_to_install(batch, manifest, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pyarrow" else real(name))
    done = batch(manifest, "-o", "out")
    assert done.code == 2
    assert "`deixis batch` needs pyarrow: pip install 'deixis[scale]'" in done.err


def test_interrupted_it_goes_on(manifest, place, tiny_folder):
    """Ctrl-C ends it with 130 and whole files; the same command does the rest."""
    command = ("batch", manifest, "-o", "out", "-m", tiny_folder, "--device", "cpu", "-r", "fast", "--block", 2)
    process = spawn(*command, "--workers", 1)
    for _ in range(3000):
        if shards(place / "out"):
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=200)
    assert process.returncode == 130, err
    assert "the same command goes on" in err
    assert 0 < len(shards(place / "out")) < 26
    assert spawn(*command, "--workers", 2).wait(400) == 1
    assert len(answers(place / "out")) == ROWS - BROKEN


def test_the_command_and_the_library_have_the_same_words_and_defaults():
    asked = {field.name: field.default for field in fields(BatchOptions)}
    renamed = {"phrase": "phrases"}
    for value in (Cohort, Crew):
        for field in fields(value):
            if field.name == "deaths":
                continue
            name = next((ours for ours, theirs in renamed.items() if theirs == field.name), field.name)
            assert name in asked, name
            if field.name not in {"phrases", "gpus"}:
                assert asked[name] == field.default or field.default is MISSING, name


def test_the_library_does_what_the_command_does(batch, place, tiny_folder):
    write_picture(place / "a.png")
    write_manifest(place / "m.csv", [{"id": "a", "image": "a.png", "phrases": "mass"}])
    batch("m.csv", "-o", "out")
    cohort = deixis.Cohort(place / "m.csv", place / "ours", model=str(tiny_folder), recipe="instant", device="cpu")
    total = deixis.ground_cohort(cohort, deixis.Crew(workers=1))
    assert (total.images, total.rows, total.failures) == (1, 1, ())
    assert answers(place / "ours") == answers(place / "out")
