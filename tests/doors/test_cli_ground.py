"""`deixis ground`: what it writes and prints, and that one bad image harms no other."""

import inspect
import json
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from calling import Call, call, document, everything_below, write_picture

import deixis
from deixis.errors import PhraseError

# `deixis.ground` is the function; this is the file.
CORRIDOR = import_module("deixis.ground")
EXAMPLES = Path(__file__).parents[2] / "examples"


def test_writes_a_folder_with_pictures_data_and_the_document(ground, picture, place):
    done = ground(picture, "-p", "left effusion", "-p", "opacity", "-o", "out")
    assert done.code == 0
    assert everything_below(place / "out") == [
        "chest",
        "chest/01-left-effusion.npz",
        "chest/01-left-effusion.png",
        "chest/02-opacity.npz",
        "chest/02-opacity.png",
        "chest/groundings.json",
    ]


def test_the_default_folder_is_deixis_out(ground, picture, place):
    assert ground(picture, "-p", "opacity", "--format", "json").code == 0
    assert everything_below(place / "deixis-out") == ["chest", "chest/groundings.json"]


def test_answers_are_those_of_the_library(ground, picture, tiny_model):
    """The command line adds nothing and changes nothing."""
    ground(picture, "-p", "left effusion", "-p", "opacity", "-o", "out")
    found = deixis.ground(str(picture), ["left effusion", "opacity"], tiny_model)
    entry = document(picture.parent / "out" / "chest")["images"][0]
    for written, grounding in zip(entry["groundings"], found, strict=True):
        boxes = [[box[side] for side in ("x0", "y0", "x1", "y1", "score")] for box in written["boxes"]]
        expected = [[box.x0, box.y0, box.x1, box.y1, box.score] for box in grounding.boxes]
        np.testing.assert_allclose(boxes, expected, rtol=1e-5)
        assert written["provenance"]["recipe"] == grounding.provenance.recipe == "best"


def test_defaults_are_those_of_the_library():
    from deixis.cli.ground import Options

    library = inspect.signature(deixis.ground).parameters
    for name in ("model", "recipe", "seed"):
        assert getattr(Options, name) == library[name].default
    assert Options.device == inspect.signature(deixis.load).parameters["device"].default


def test_the_table_names_phrases_boxes_folders_and_the_notice(ground, picture):
    done = ground(picture, "-p", "left effusion", "-o", "out")
    assert "chest.png" in done.out
    assert "left effusion" in done.out
    assert "out/chest" in done.out
    assert "not for diagnosis" in done.out


def test_nothing_is_said_on_standard_error_in_a_pipe(ground, picture):
    assert ground(picture, "-p", "opacity").err == ""


def test_json_is_all_there_is_on_standard_output_and_the_same_as_the_file(ground, picture, place):
    done = ground(picture, "-p", "opacity", "-o", "out", "--json")
    printed = json.loads(done.out)
    assert printed["images"] == document(place / "out" / "chest")["images"]
    assert printed["failures"] == []


def test_a_recipe_and_a_seed_are_obeyed(ground, picture, place):
    ground(picture, "-p", "opacity", "-o", "out", "-r", "fast", "--seed", "7")
    provenance = document(place / "out" / "chest")["images"][0]["groundings"][0]["provenance"]
    assert (provenance["recipe"], provenance["seed"]) == ("fast", 7)


def test_images_of_one_name_get_folders_of_their_own(ground, place):
    for name in ("a", "b"):
        (place / name).mkdir()
        write_picture(place / name / "chest.png", seed=ord(name))
    done = ground("a/chest.png", "b/chest.png", "-p", "opacity", "-o", "out", "--format", "json")
    assert done.code == 0
    assert document(place / "out" / "chest")["images"][0]["source"] == "a/chest.png"
    assert document(place / "out" / "chest-2")["images"][0]["source"] == "b/chest.png"


def test_a_second_run_replaces_the_first(ground, picture, place):
    ground(picture, "-p", "left effusion", "-o", "out")
    ground(picture, "-p", "opacity", "-o", "out", "--format", "json")
    assert everything_below(place / "out") == ["chest", "chest/groundings.json"]


def test_a_colour_picture_is_converted_with_a_notice(ground, place):
    done = ground(write_picture(place / "photo.png", shape=(40, 50, 3)), "-p", "opacity")
    assert done.code == 0
    assert done.lines == ["photo.png: colour converted to grey"]


def test_the_other_images_are_still_done_and_the_last_line_counts(ground, picture, place):
    (place / "bad.png").write_bytes(b"no picture")
    last = write_picture(place / "last.png", seed=3)
    done = ground(picture, "bad.png", "missing.png", last, "-p", "opacity", "-o", "out", "--format", "json")
    assert done.code == 2
    assert len(done.lines) == 3
    assert done.lines[-1] == "2 of 4 images failed."
    assert everything_below(place / "out") == ["chest", "chest/groundings.json", "last", "last/groundings.json"]


def test_json_tells_the_failures_too(ground, picture):
    done = ground("missing.png", picture, "-p", "opacity", "--json")
    printed = json.loads(done.out)
    assert done.code == 2
    assert [image["folder"] for image in printed["images"]] == ["chest"]
    assert printed["failures"] == [{"source": "missing.png", "error": "missing.png does not exist. Check the path."}]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory: you tried to …"),
        RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB."),
    ],
    ids=["python", "torch on the CPU", "torch on a GPU"],
)
def test_out_of_memory_is_told_in_one_line(ground, picture, place, monkeypatch, error):
    monkeypatch.setattr(CORRIDOR, "open_image", _raising(error))
    done = ground(picture, "-p", "opacity", "-o", "out")
    assert done.code == 2
    assert len(done.lines) == 1
    assert done.lines[0].startswith(f"error: {picture}: Out of memory.")
    assert not (place / "out").exists()


def test_a_full_disk_leaves_nothing_half_written(ground, picture, place, monkeypatch):
    monkeypatch.setattr("deixis.writers.npz.write_bytes", _raising(OSError(28, "No space left on device")))
    done = ground(picture, "-p", "opacity", "-o", "out")
    assert done.code == 2
    assert len(done.lines) == 1
    assert "no space left on device" in done.err.lower()
    assert everything_below(place / "out") == []


def test_a_bug_in_one_image_is_told_as_a_bug_and_ends_no_other(ground, picture, place, monkeypatch):
    from deixis.ground import open_image

    def failing(image, *rest, **more):
        if image.source.name == "chest.png":
            raise ZeroDivisionError("division by zero")
        return open_image(image, *rest, **more)

    monkeypatch.setattr(CORRIDOR, "open_image", failing)
    other = write_picture(place / "other.png")
    done = ground(picture, other, "-p", "opacity", "-o", "out", "--format", "json")
    assert done.code == 2
    assert "Unexpected ZeroDivisionError: division by zero" in done.lines[0]
    assert everything_below(place / "out") == ["other", "other/groundings.json"]
    monkeypatch.setenv("DEIXIS_DEBUG", "1")
    assert "Traceback" in ground(picture, "-p", "opacity").err


def test_an_interruption_leaves_finished_results_whole_and_starts_no_other(ground, picture, place, monkeypatch):
    from deixis.images import read

    def interrupted(path):
        if path.name == "second.png":
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr("deixis.images.read", interrupted)
    done = ground(picture, "second.png", "third.png", "-p", "opacity", "-o", "out", "--format", "json")
    assert done.code == 130
    assert done.lines == ["Interrupted: 1 of 3 images are done, and whole."]
    assert everything_below(place / "out") == ["chest", "chest/groundings.json"]


def test_all_phrases_are_checked_before_anything_is_computed(ground, picture, place, monkeypatch):
    monkeypatch.setattr(CORRIDOR, "open_image", _raising(AssertionError("something was computed")))
    long = "right pleural effusion " * 20
    done = ground(picture, "-p", "opacity", "-p", long, "-o", "out")
    assert done.code == 2
    assert len(done.lines) == 1
    assert "30 fit" in done.err
    assert not (place / "out").exists()


def test_the_model_is_loaded_once_for_any_number_of_images(ground, picture, place, monkeypatch):
    from deixis.models.loading import load

    calls = []
    monkeypatch.setattr(
        "deixis.models.loading.load", lambda *given, **more: calls.append(given) or load(*given, **more)
    )
    ground(picture, write_picture(place / "other.png"), "-p", "opacity", "--format", "json")
    assert len(calls) == 1


def test_no_model_is_loaded_where_no_image_can_be_read(ground, monkeypatch, place):
    monkeypatch.setattr("deixis.models.loading.load", _raising(AssertionError("a model was loaded")))
    assert ground("missing.png", "-p", "opacity").code == 2


def _raising(error):
    def failing(*_given, **_more):
        raise error

    return failing


def test_an_error_of_the_library_is_told_in_its_own_words(capsys, picture, tiny_model):
    with pytest.raises(PhraseError) as raised:
        deixis.ground(str(picture), "  ", tiny_model)
    done: Call = call(capsys, "ground", picture, "-p", "  ")
    assert done.lines == [f"error: {raised.value}"]


def test_memory_that_is_allowed_bounds_batches_and_too_little_is_an_error(ground, picture, capsys, bundled):
    """A wide limit changes nothing; one below the weights says what is needed."""
    assert ground(picture, "-p", "opacity", "-o", "out", "--max-memory", "4000").code == 0
    refused = call(capsys, "ground", picture, "-p", "opacity", "-o", "other", "--max-memory", "5", "-m", bundled)
    assert refused.code == 2
    assert "weights and one case take" in refused.err


def test_walks_that_are_kept_serve_the_next_call(ground, picture, place):
    """One file per image and walk; the second call asks the network less and answers the same."""
    found = []
    for out in ("first", "second"):
        ground(picture, "-p", "opacity", "-r", "paper", "-o", out, "--keep-walks", "walks")
        found.append(document(place / out / "chest")["images"][0]["groundings"][0])
    assert len(everything_below(place / "walks")) == 1
    assert found[0]["boxes"] == found[1]["boxes"]
    first, second = (one["provenance"]["unet_evaluations"] for one in found)
    assert first - second >= 100


def test_precision_is_a_choice(ground, picture):
    """Half the bits, much the same place; an unknown one is refused."""
    assert ground(picture, "-p", "opacity", "-o", "out", "--dtype", "bfloat16").code == 0
    assert ground(picture, "-p", "opacity", "-o", "out", "--dtype", "int3").code == 2


def test_a_minimum_score_needs_a_calibrated_recipe(capsys, picture, bundled):
    """A recipe without presence scores is refused, and the error says what to do."""
    refused = call(capsys, "ground", picture, "-p", "x", "-r", "fast", "-o", "o", "--min-score", "0.5", "-m", bundled)
    assert refused.code == 2
    assert "has none for 'phantom'" in refused.err
    assert "Leave it out" in refused.err


def test_a_finding_that_is_not_there_gets_no_box(capsys, place, bundled):
    """With a minimum score: a box for the effusion of the example, none for a pneumothorax, and both are told why."""
    told = call(
        capsys, "ground", EXAMPLES / "effusion.png", "-p", "pleural effusion", "-p", "pneumothorax", "-o", "out",
        "--min-score", "0.25", "-m", bundled,
    )  # fmt: skip
    assert told.code == 0
    effusion, pneumothorax = document(place / "out" / "effusion")["images"][0]["groundings"]
    assert effusion["boxes"]
    assert effusion["presence"] > 0.25
    assert pneumothorax["boxes"] == []
    assert pneumothorax["presence"] < 0.25
    assert "none" in told.out
