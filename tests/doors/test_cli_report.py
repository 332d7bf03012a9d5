"""`deixis ground --report`: a report and its page beside the pictures, from a file or from standard input."""

import io
import json
import sys

import pytest
from calling import call, document, everything_below, write_picture

TEXT = "FINDINGS: Left effusion. No edema. Possible scarring.\nIMPRESSION: Left effusion. Cardiomegaly.\n"


@pytest.fixture
def report(place):
    path = place / "report.txt"
    path.write_text(TEXT, encoding="utf-8")
    return path


def test_writes_the_page_beside_the_pictures(ground, picture, report, place):
    done = ground(picture, "--report", report, "-o", "out")
    assert done.code == 0, done.err
    assert everything_below(place / "out" / "chest") == [
        "01-left-effusion.npz",
        "01-left-effusion.png",
        "02-cardiomegaly.npz",
        "02-cardiomegaly.png",
        "groundings.json",
        "report.html",
    ]
    (image,) = document(place / "out" / "chest")["images"]
    assert [one["phrase"] for one in image["groundings"]] == ["left effusion", "cardiomegaly"]
    assert image["report"]["text"] == TEXT


def test_says_what_was_not_looked_for(ground, picture, report):
    done = ground(picture, "--report", report, "--format", "json")
    assert "chest.png: denied: edema" in done.out
    assert "chest.png: left open: scarring" in done.out


def test_phrases_come_before_those_of_the_report(ground, picture, report, place):
    done = ground(picture, "-p", "right lung", "--report", report, "-o", "out", "--format", "json", "--json")
    assert done.code == 0, done.err
    (image,) = json.loads(done.out)["images"]
    assert [one["phrase"] for one in image["groundings"]] == ["right lung", "left effusion", "cardiomegaly"]
    mentions = [one for sentence in image["report"]["sentences"] for one in sentence["mentions"]]
    assert [one["grounding"] for one in mentions] == [1, None, None, 1, 2]
    assert document(place / "out" / "chest")["images"] == [image]


def test_standard_input_is_a_report_too(ground, picture, place, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(TEXT.encode())))
    assert ground(picture, "--report", "-", "-o", "out", "--format", "json").code == 0
    assert (place / "out" / "chest" / "report.html").is_file()


def test_one_report_is_looked_for_in_every_image_of_a_study(ground, picture, report, place):
    lateral = write_picture(place / "lateral.png", seed=2)
    assert ground(picture, lateral, "--report", report, "-o", "out", "--format", "json").code == 0
    assert (place / "out" / "lateral" / "report.html").is_file()


def test_a_report_without_a_finding_is_still_shown(capsys, picture, place, monkeypatch):
    """And no model is loaded for it."""
    loaded = []
    monkeypatch.setattr("deixis.models.loading.load", lambda *given, **named: loaded.append(given))
    (place / "normal.txt").write_text("The lungs are clear. No effusion.", encoding="utf-8")
    done = call(capsys, "ground", picture, "--report", "normal.txt", "-o", "out")
    assert done.code == 0, done.err
    assert loaded == []
    assert everything_below(place / "out" / "chest") == ["groundings.json", "report.html"]


def test_a_phrase_that_is_too_long_for_the_model_ends_nothing(ground, picture, place):
    (place / "long.txt").write_text(f"Edema. {'left upper lateral ' * 60}opacity.", encoding="utf-8")
    done = ground(picture, "--report", "long.txt", "-o", "out", "--format", "json")
    assert done.code == 0, done.err
    assert "stated, not grounded" in done.out
    (image,) = document(place / "out" / "chest")["images"]
    assert [one["phrase"] for one in image["groundings"]] == ["edema"]
    (reason,) = [
        one["reason"] for sentence in image["report"]["sentences"] for one in sentence["mentions"] if one["reason"]
    ]
    assert "tokens" in reason


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "holds no words"),
        (b"\x89PNG\r\n", "no text in UTF-8"),
        (b"effusion " * 10_000, "the 20000 characters that are read"),
    ],
)
def test_what_is_no_report_is_one_line_and_exit_code_2(ground, picture, place, content, told):
    (place / "bad.txt").write_bytes(content)
    done = ground(picture, "--report", "bad.txt", "-o", "out")
    assert done.code == 2
    (line,) = done.lines
    assert told in line
    assert "bad.txt" in line
    assert not (place / "out").exists()


def test_a_missing_report_and_nothing_to_look_for_are_told(ground, picture):
    assert "none.txt does not exist" in ground(picture, "--report", "none.txt").err
    done = ground(picture)
    assert done.code == 2
    assert "--report FILE" in done.err


def test_the_answers_are_those_of_the_library(capsys, picture, report, tiny_folder, tiny_model, place):
    import deixis

    call(capsys, "ground", picture, "--report", report, "-o", "out", "--format", "json", "-m", tiny_folder)
    (image,) = document(place / "out" / "chest")["images"]
    told = deixis.ground_report(str(picture), TEXT, tiny_model)
    assert [one["phrase"] for one in image["groundings"]] == [one.phrase.text for one in told.groundings]
    for written, found in zip(image["groundings"], told.groundings, strict=True):
        assert written["mask_area"] == int(found.mask.sum())
