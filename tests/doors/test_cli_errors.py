"""Bad input: one clear line, exit code 2, nothing half-written."""

import numpy as np
import PIL.Image
import pytest
from calling import call, everything_below, write_picture

from deixis.types import Image
from deixis.writers.dicom_cr import write_cr

BROKEN = {
    "a missing file": ("missing.png", "does not exist"),
    "a folder": ("folder", "is a folder"),
    "an empty file": ("empty.png", "is empty"),
    "a text": ("text.png", "is not an image"),
    "a truncated PNG": ("truncated.png", "truncated.png"),
    "a truncated JPEG": ("truncated.jpg", "truncated.jpg"),
    "a truncated TIFF": ("truncated.tiff", "truncated.tiff"),
    "a truncated DICOM": ("truncated.dcm", "truncated.dcm"),
    "a constant image": ("constant.png", "same grey everywhere"),
}


@pytest.fixture
def broken(place):
    """A folder with one file for each way of being no image."""
    (place / "folder").mkdir()
    (place / "empty.png").write_bytes(b"")
    (place / "text.png").write_text("this is not a picture", encoding="utf-8")
    PIL.Image.fromarray(np.full((20, 30), 7, np.uint8)).save(place / "constant.png")
    for suffix in ("png", "jpg", "tiff"):
        whole = write_picture(place / f"truncated.{suffix}").read_bytes()
        (place / f"truncated.{suffix}").write_bytes(whole[: len(whole) // 2])
    pixels = np.linspace(0, 1, 6000, dtype=np.float32).reshape(60, 100)
    whole = write_cr(Image(pixels), place / "truncated.dcm").read_bytes()
    (place / "truncated.dcm").write_bytes(whole[: len(whole) // 2])
    return place


@pytest.mark.parametrize(("name", "told"), BROKEN.values(), ids=BROKEN)
def test_a_bad_image_gets_one_line(ground, broken, name, told):
    done = ground(name, "-p", "opacity", "-o", "out")
    assert done.code == 2
    assert done.out == ""
    assert len(done.lines) == 1
    assert done.lines[0].startswith("error: ")
    assert told in done.lines[0]
    assert not (broken / "out").exists()


REFUSED = {
    "an empty phrase": (["-p", ""], "The phrase is empty"),
    "a blank phrase": (["-p", "opacity", "-p", " "], "The phrase is empty"),
    "no phrase": ([], "--phrase"),
    "a long phrase": (["-p", "small left pleural effusion " * 9], "30 fit"),
    "an unknown recipe": (["-p", "opacity", "-r", "guidd"], "Did you mean 'guided'? Known: paper, "),
    "an unknown model": (["-p", "opacity", "-m", "phantm"], "Did you mean 'phantom'? Known: phantom"),
    "a model folder that is none": (["-p", "opacity", "-m", "./folder"], "is no model"),
    "an unknown format": (["-p", "opacity", "--format", "png,jpg"], "Known: png, json, npz"),
    "an unknown device": (["-p", "opacity", "--device", "abacus"], "abacus"),
    "a seed that is no number": (["-p", "opacity", "--seed", "x"], "--seed"),
    "an unknown option": (["-p", "opacity", "--colour"], "--colour"),
    "an output below a file": (["-p", "opacity", "-o", "chest.png/out"], "not a directory"),
    "an output that is a file": (["-p", "opacity", "-o", "chest.png"], "not a directory"),
    "an output that no system allows": (["-p", "opacity", "-o", "/proc/out"], "/proc/out"),
}


@pytest.mark.parametrize(("arguments", "told"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_done_gets_one_line(capsys, picture, place, tiny_folder, arguments, told):
    (place / "folder").mkdir()
    before = everything_below(place)
    model = [] if "-m" in arguments else ["-m", tiny_folder]
    done = call(capsys, "ground", picture, *model, *arguments)
    assert done.code == 2
    assert done.out == ""
    assert len(done.lines) == 1
    assert told in done.lines[0]
    assert everything_below(place) == before


@pytest.mark.parametrize("arguments", [["grund"], ["--colour"], ["recipes", "a", "b"], ["phantom"]])
def test_a_usage_error_gets_one_line_that_names_the_help(capsys, arguments):
    done = call(capsys, *arguments)
    assert done.code == 2
    assert len(done.lines) == 1
    assert done.lines[0].endswith("--help`.")


def test_damaged_weights_get_one_line(capsys, picture, tiny_folder, tmp_path):
    import shutil

    folder = shutil.copytree(tiny_folder, tmp_path / "damaged")
    weights = next((folder / "unet").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:1000])
    done = call(capsys, "ground", picture, "-p", "opacity", "-m", folder)
    assert done.code == 2
    assert len(done.lines) == 1
    assert "unet" in done.err
