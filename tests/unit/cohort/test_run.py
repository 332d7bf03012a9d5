"""A cohort from manifest to folder, in this process and on a tiny model: what is done, refused, gone on with."""

import errno
import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from calling import write_picture
from cohorts import answers, errors, shards, write_manifest

import deixis
from deixis.cohort import work as working
from deixis.cohort.folder import Folder
from deixis.cohort.forecast import forecast
from deixis.cohort.order import Cohort, Outcome
from deixis.cohort.run import Progress, ground_cohort
from deixis.crew import ENGINES, Crew
from deixis.datasets.rle import coco_mask
from deixis.errors import DeixisError, ManifestError, OutputError, PhraseError

HERE = Crew("here")


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch):
    monkeypatch.setitem(ENGINES.builtin, "here", "inline_engine:inline_map")
    monkeypatch.setitem(ENGINES.builtin, "local", "inline_engine:inline_map")


@pytest.fixture
def pictures(tmp_path):
    return [write_picture(tmp_path / f"{name}.png", seed=seed) for seed, name in enumerate("abcde")]


@pytest.fixture
def cohort(tmp_path, pictures, tiny_folder):
    """Five images in blocks of two; image b has two rows."""
    rows = [{"id": file.stem, "image": file.name, "phrases": "left effusion|edema"} for file in pictures]
    rows.append({"id": "b again", "image": "b.png", "phrases": "mass"})
    manifest = write_manifest(tmp_path / "m.csv", rows)
    return Cohort(manifest, tmp_path / "out", model=str(tiny_folder), recipe="fast", device="cpu", block=2)


def edited(cohort, old, new):
    cohort.manifest.write_text(cohort.manifest.read_text().replace(old, new))
    return cohort


def test_answers_are_those_of_ground(cohort, tiny_model, pictures):
    """Box by box and pixel by pixel, with the image's own seed; every image is opened once."""
    total = ground_cohort(cohort, HERE)
    assert (total.images, total.rows, total.failures, total.missing) == (5, 11, (), 0)
    found = answers(cohort.output, without=())
    for file in pictures:
        phrases = ["left effusion", "edema", *(["mass"] if file.stem == "b" else [])]
        for number, one in enumerate(deixis.ground(file, phrases, tiny_model, "fast")):
            row = found[("b again", 0) if one.phrase.text == "mass" else (file.stem, number)]
            assert [tuple(box.values()) for box in row["boxes"]] == [
                (box.x0, box.y0, box.x1, box.y1, box.score) for box in one.boxes
            ]
            np.testing.assert_array_equal(coco_mask(row["mask"]), one.mask)
            assert row["weights_sha256"] == tiny_model.spec.weights_sha256
    assert [len(pq.read_table(shard, partitioning=None)) for shard in shards(cohort.output)] == [5, 4, 2]


def test_the_folder_says_what_it_holds(cohort):
    ground_cohort(cohort, HERE)
    told = json.loads((cohort.output / "_manifest.json").read_text())
    assert (told["images"], told["rows"], told["failures"], told["missing_blocks"]) == (5, 11, 0, 0)
    assert {name: file["rows"] for name, file in told["files"].items()} == {
        "part-000000.parquet": 5, "part-000001.parquet": 4, "part-000002.parquet": 2,
    }  # fmt: skip
    assert len(pq.read_table(cohort.output, partitioning=None)) == 11
    assert not list(cohort.output.glob("_attempts/*"))


def test_only_what_is_missing_is_done_again(cohort):
    """To the same rows, and files that were there are not touched."""
    ground_cohort(cohort, HERE)
    whole, (first, second, third) = answers(cohort.output), shards(cohort.output)
    second.unlink()
    (cohort.output / ".abc.partial").write_text("of a worker that was killed")
    before, seen = first.stat().st_mtime_ns, []
    ground_cohort(cohort, HERE, watch=seen.append)
    assert [(at.done, at.images) for at in seen] == [(0, 2), (2, 2)]
    assert first.stat().st_mtime_ns == before
    assert answers(cohort.output) == whole
    assert not list(cohort.output.glob(".*"))
    assert third.exists()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"seed": 1}, "seed: 0 there, 1 now"),
        ({"recipe": "instant"}, "recipe: "),
        ({"block": 3}, "block: 2 there, 3 now"),
        ({"phrases": ("x",)}, "phrases: "),
    ],
)
def test_another_configuration_is_refused(cohort, change, told):
    Folder(cohort.output).take(cohort.config(_read(cohort), 1))
    with pytest.raises(OutputError, match="holds a cohort of another configuration") as raised:
        ground_cohort(replace(cohort, **change), HERE)
    assert told in str(raised.value)


def _read(cohort):
    from deixis.cohort.manifest import read_manifest

    return read_manifest(cohort.manifest)


def test_another_manifest_other_weights_or_threads_are_refused(cohort, tmp_path):
    ground_cohort(cohort, HERE)
    with pytest.raises(OutputError, match="threads: 1 there, 2 now"):
        ground_cohort(cohort, replace(HERE, threads=2))
    (cohort.output / "_model.json").write_text('{"name": "tiny", "family": "x", "weights_sha256": "other"}')
    shards(cohort.output)[0].unlink()
    with pytest.raises(OutputError, match="weights_sha256"):
        ground_cohort(cohort, HERE)
    with pytest.raises(OutputError, match="manifest_sha256"):
        ground_cohort(edited(cohort, "mass", "nodule"), HERE)


def test_a_folder_with_other_things_in_it_is_refused(cohort):
    cohort.output.mkdir()
    (cohort.output / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="holds files, and no cohort"):
        ground_cohort(cohort, HERE)
    with pytest.raises(OutputError, match="cannot be written"):
        ground_cohort(replace(cohort, output=cohort.output / "mine.txt"), HERE)


def test_what_fails_is_told_and_ends_nothing_else(cohort, pictures):
    """An image that is none, one that is not there, a phrase that is too long, a report that says nothing."""
    pictures[0].write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    pictures[3].unlink()
    total = ground_cohort(edited(cohort, "mass", "mass|" + "long " * 100), HERE)
    found = errors(cohort.output)
    assert found.keys() == {"a", "d", "b again"}
    assert found["a"].startswith("image: ")
    assert found["d"].startswith("unreachable: d.png does not exist")
    assert found["b again"].startswith("phrase: Phrase 2: ")
    assert (total.images, total.rows) == (5, 7)
    assert set(answers(cohort.output)) == {(one, n) for one in "bce" for n in (0, 1)} | {("b again", 0)}


def test_what_may_have_passed_is_tried_again_and_the_rest_when_told(cohort, pictures):
    """A file that was away; then one that was broken. Rows of other images stay as they are."""
    whole = replace(cohort, output=cohort.output.with_name("whole"))
    ground_cohort(whole, HERE)
    broken, away = pictures[1].read_bytes(), pictures[0].read_bytes()
    pictures[1].write_bytes(b"broken")
    pictures[0].unlink()
    ground_cohort(cohort, HERE)
    assert set(errors(cohort.output)) == {"a", "b", "b again"}
    pictures[0].write_bytes(away)
    pictures[1].write_bytes(broken)
    seen = []
    ground_cohort(cohort, HERE, watch=seen.append)
    assert set(errors(cohort.output)) == {"b", "b again"}
    assert seen[-1].images == 1
    total = ground_cohort(cohort, HERE, retry_failed=True)
    assert total.failures == ()
    assert answers(cohort.output) == answers(whole.output)


def test_reports_are_grounded_and_what_they_deny_is_listed(cohort, tmp_path):
    report = {"image": "a.png", "report": "Small left effusion. No edema.", "phrases": ["mass"], "id": "r"}
    manifest = tmp_path / "m.jsonl"
    manifest.write_text("\n".join(json.dumps(row) for row in (report, {"image": "b.png", "report": " x" * 60000})))
    ground_cohort(replace(cohort, manifest=manifest), HERE)
    found = answers(cohort.output)
    assert [(found[("r", n)]["status"], found[("r", n)]["mask"] is None) for n in range(3)] == [
        (None, False), ("present", False), ("absent", True),
    ]  # fmt: skip
    assert found[("r", 2)]["reason"] == "the report denies it"
    assert found[("r", 1)]["laterality"] == "left"
    (reason,) = errors(cohort.output).values()
    assert reason.startswith("report: ")


@pytest.mark.parametrize("heat", ["npz", "zarr"])
def test_heat_maps_are_kept_where_it_is_asked(cohort, heat, tiny_model, pictures):
    from deixis.cohort.heats import HEAT_STORES

    cohort = replace(cohort, heat=heat)
    ground_cohort(cohort, HERE)
    store = HEAT_STORES[heat]
    maps = store.read(cohort.output / "_heat" / f"part-000000{store.suffix}")
    found = answers(cohort.output)
    (expected,) = deixis.ground(pictures[0], "left effusion", tiny_model, "fast")
    assert len(maps) == 5
    np.testing.assert_allclose(maps[found[("a", 0)]["heat"]], expected.heat.values, atol=2e-3)


def test_a_disk_that_is_full_ends_the_run_with_the_reason(cohort, monkeypatch):
    """And the same call goes on."""
    real, calls = working.write_table, []

    def full(table, path):
        calls.append(path)
        if len(calls) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(table, path)

    monkeypatch.setattr(working, "write_table", full)
    with pytest.raises(OutputError, match=r"cannot be written \(no space left on device\). Make room"):
        ground_cohort(cohort, HERE)
    assert len(shards(cohort.output)) == 1
    assert ground_cohort(cohort, HERE).missing == 0


def test_a_bug_is_kept_with_the_image(cohort, monkeypatch):
    monkeypatch.setattr(working, "answers", lambda sheet, view: 1 / 0)
    total = ground_cohort(cohort, HERE)
    assert {one.kind for one in total.failures} == {"bug"}
    assert (total.rows, len(total.failures)) == (0, 6)
    assert "Unexpected ZeroDivisionError at test_run.py" in total.failures[0].reason


def test_wrong_words_are_told_before_anything_is_done(cohort):
    for change, error in (
        ({"recipe": "fsat"}, DeixisError), ({"heat": "tiff"}, DeixisError), ({"block": 0}, ManifestError),
        ({"phrases": (" ",)}, PhraseError),
    ):  # fmt: skip
        with pytest.raises(error):
            replace(cohort, **change)
    with pytest.raises(DeixisError, match="nosuch"):
        ground_cohort(replace(cohort, model="nosuch"), HERE)
    with pytest.raises(DeixisError, match="Known: local"):
        ground_cohort(cohort, Crew("lcoal"))
    assert not cohort.output.exists()


def test_a_forecast_counts_reads_and_reckons(cohort, pictures):
    """And leaves nothing behind."""
    pictures[4].write_bytes(b"broken")
    found = forecast(edited(cohort, "c.png", ""), HERE)
    assert (found.images, found.sampled, found.readable, found.blocks) == (4, 4, 3, 2)
    assert sorted(one.kind for one in found.failures) == ["image", "manifest"]
    assert found.image_seconds > 0
    assert found.seconds == pytest.approx(found.images * found.image_seconds / HERE.here)
    assert found.bytes > found.images * found.image_bytes > 0
    assert not cohort.output.exists()
    heavy = forecast(replace(cohort, heat="npz"), HERE)
    assert heavy.image_bytes > found.image_bytes
    for file in pictures:
        file.unlink()
    with pytest.raises(ManifestError, match=r"No image of .* can be read"):
        forecast(cohort, HERE)


def test_progress_knows_its_rate_and_what_is_left():
    at = Progress(images=10, done=4, seconds=2.0)
    assert (at.rate, at.left) == (2.0, 3.0)
    assert (Progress(10).rate, Progress(10).left) == (0.0, None)
    first = Progress(10).after(Outcome(0, images=2), 10.0)
    assert first.rate == 0.2
    assert first.after(Outcome(1, images=2), 11.0).rate == 2.0
    third = first.after(Outcome(1, images=2), 11.0).after(Outcome(2, images=2), 12.0)
    assert (third.rate, third.left) == (2.0, 2.0)
