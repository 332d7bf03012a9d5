"""The other verbs: models, recipes, doctor, phantom, demo, and the page about them all."""

import json
import runpy
from dataclasses import fields
from pathlib import Path

import pytest
from calling import call

from deixis.recipes import DEFAULT, RECIPES

ROOT = Path(__file__).parents[2]


def test_help_names_every_verb(capsys):
    from deixis.cli.app import VERBS

    out = call(capsys, "--help").out
    assert all(f" {verb} " in out for verb in VERBS)


def test_without_arguments_the_help_is_shown(capsys):
    done = call(capsys)
    assert done.code == 2
    assert "Usage: deixis" in done.out
    assert done.err == ""


def test_the_page_about_the_command_line_is_up_to_date(capsys):
    """`make docs` writes it."""
    capsys.readouterr()
    runpy.run_path(str(ROOT / "tools" / "cli_reference.py"), run_name="__main__")
    assert capsys.readouterr().out == (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")


def test_models_lists_catalog_and_folders(capsys, tiny_folder, monkeypatch):
    monkeypatch.setenv("DEIXIS_MODELS", str(tiny_folder.parent))
    lines = call(capsys, "models").out.splitlines()
    (tiny,) = (line for line in lines if line.startswith("tiny"))
    assert "diffusers-ldm" in tiny
    assert "MB" in tiny
    assert str(tiny_folder) in tiny
    (bundled,) = (line for line in lines if line.startswith("phantom"))
    assert "Apache-2.0" in bundled


def test_recipes_lists_all_and_marks_the_default(capsys):
    lines = call(capsys, "recipes").out.splitlines()
    for name in RECIPES:
        assert any(line.startswith(name) for line in lines)
    assert any(line.startswith(f"{DEFAULT} (default)") for line in lines)


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_is_shown_with_every_constant_and_what_it_means(name):
    from deixis.cli.recipes import constants

    recipe = RECIPES[name]
    rows = {constant: (value, meaning) for constant, value, meaning in constants(recipe)}
    expected = {field.name for field in fields(recipe)} - {"name", "summary"}
    expected |= {f"walk.{field.name}" for field in fields(recipe.walk)}
    assert set(rows) == expected
    assert all(meaning for _, meaning in rows.values())


def test_a_recipe_says_which_sites_of_a_model_it_reads(capsys, tiny_folder):
    done = call(capsys, "recipes", "guided", "--model", tiny_folder)
    assert done.code == 0
    assert "smoothing" in done.out
    assert "4×4" in done.out
    assert "attn2" in done.out


def test_an_unknown_recipe_lists_the_known(capsys):
    done = call(capsys, "recipes", "papr")
    assert (done.code, done.out) == (2, "")
    assert "Did you mean 'paper'?" in done.err


def test_doctor_tells_versions_devices_memory_and_extras(capsys, bundled):
    done = call(capsys, "doctor")
    assert done.code == 0
    for told in ("python", "torch", "free memory", "cpu", "sha256", "dicom"):
        assert told in done.out


def test_doctor_goes_on_where_something_is_missing(capsys, monkeypatch):
    """A package and a model that are not there are told, and everything after them too."""
    from deixis.cli import doctor
    from deixis.errors import ModelError

    def absent(name):
        raise ModelError(f"{name} is not here.")

    monkeypatch.setattr(doctor, "_version", lambda name: None if name in {"pydicom", "python-gdcm"} else "1.0")
    monkeypatch.setattr("deixis.models.finding.find", absent)
    done = call(capsys, "doctor")
    assert done.code == 2
    assert "MISSING pip install pydicom" in done.out
    assert "MISSING phantom is not here." in done.out
    assert "not installed (python-gdcm): pip install 'deixis[dicom]'" in done.out


def test_doctor_compares_the_weights_with_their_card(tmp_path):
    from deixis.cli.doctor import DAMAGED, _compared

    card = tmp_path / "MODEL_CARD.md"
    assert not _compared("abc", card).startswith(DAMAGED)
    card.write_text("sha256 abc", encoding="utf-8")
    assert _compared("abc", card).endswith("as their card says")
    assert _compared("def", card).startswith(DAMAGED)


def test_doctor_survives_a_broken_package(capsys, monkeypatch):
    from deixis.cli import doctor

    def broken():
        raise ImportError("libsomething.so: cannot open shared object file")
        yield

    monkeypatch.setitem(doctor.SECTIONS, "devices", broken)
    done = call(capsys, "doctor")
    assert done.code == 2
    assert "could not look" in done.out
    assert "extras" in done.out


def test_phantom_writes_a_set(capsys, place):
    done = call(capsys, "phantom", "-n", 2, "-o", "set", "--seed", 1_000_000, "--size", 64)
    assert done.code == 0
    assert done.out == "2 images in set.\n"
    assert len(list(place.glob("set/files/*/*/*/*.jpg"))) == 2


def test_phantom_refuses_a_folder_that_is_not_empty(capsys, place):
    (place / "set").mkdir()
    (place / "set" / "mine.txt").write_text("mine", encoding="utf-8")
    done = call(capsys, "phantom", "-n", 1, "-o", "set")
    assert done.code == 2
    assert len(done.lines) == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_demo_runs_with_every_recipe(capsys, place, bundled):
    for name in RECIPES:
        assert call(capsys, "demo", "-o", name, "-r", name).code == 0
        assert list((place / name).glob("phantom-*/*.png"))


def test_demo_makes_pictures_of_what_it_found_beside_the_truth(capsys, place, bundled):
    done = call(capsys, "demo", "-o", "out")
    assert done.code == 0
    pictures = list(place.glob("out/phantom-*/*.png"))
    assert len(pictures) >= 2
    for picture in pictures:
        assert str(picture.relative_to(place)) in done.out
    assert "synthetic images only" in done.out
    assert "truth" in done.out
    (document,) = place.glob("out/*/groundings.json")
    assert json.loads(document.read_text(encoding="utf-8"))["images"][0]["groundings"]
