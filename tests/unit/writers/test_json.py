"""`groundings.json`, and what is printed with ``--json``."""

import json

import numpy as np
import pytest

from deixis.types import Box, Grounding, HeatMap, Image, Phrase
from deixis.writers import write
from deixis.writers.json import Document, FailureEntry, image_entry
from unit.writers.making import NOTICE, empty_grounding, grounded_report, grounding


def test_document_says_everything():
    """Each field, as docs/output.md has it."""
    one = grounding(Phrase("no change in the effusion", (17, 25), "Pleural Effusion", "left"))
    entry = image_entry([one], "chest", ["01-no-change-in-the-effusion.png", "chest.seg.dcm", "groundings.json"])
    document = json.loads(Document((entry,), (FailureEntry("b.png", "b.png does not exist."),)).text())
    assert list(document) == ["schema", "images", "failures"]
    assert document["schema"] == "deixis.groundings/1"
    assert document["failures"] == [{"source": "b.png", "error": "b.png does not exist."}]
    (image,) = document["images"]
    (found,) = image.pop("groundings")
    assert image == {
        "source": "scans/chest.png",
        "shape": [60, 80],
        "spacing": [0.2, 0.1],
        "notices": ["colour converted to grey"],
        "view": None,
        "laterality": None,
        "folder": "chest",
        "files": ["chest.seg.dcm"],
        "report": None,
    }
    (box,) = one.boxes
    assert found == {
        "phrase": "no change in the effusion",
        "span": [17, 25],
        "category": "Pleural Effusion",
        "laterality": "left",
        "boxes": [{"x0": box.x0, "y0": box.y0, "x1": box.x1, "y1": box.y1, "score": 0.75}],
        "mask_area": int(one.mask.sum()),
        "heat": {"peak": float(one.heat.values.max()), "peak_at": found["heat"]["peak_at"], "seen": 0.75},
        "files": ["01-no-change-in-the-effusion.png"],
        "stability": None,
        "agreement": None,
        "presence": None,
        "provenance": {
            "model": "planted",
            "weights_sha256": "ab" * 32,
            "recipe": "guided",
            "seed": 0,
            "versions": {"deixis": "0"},
            "seconds": 0.1235,
            "unet_evaluations": 30,
            "notices": [NOTICE],
        },
    }
    x, y = found["heat"]["peak_at"]
    assert one.heat.values[int(y), int(x)] == one.heat.values.max()
    assert (x % 1, y % 1) == (0.5, 0.5)


def test_written_file_is_the_printed_document(tmp_path):
    """One function for both."""
    ones = [grounding("a"), grounding("b")]
    written = write(ones, tmp_path)
    entry = image_entry(ones, written.folder.name, [file.name for file in written.files])
    assert (written.folder / "groundings.json").read_text(encoding="utf-8") == Document((entry,)).text()


def test_file_belongs_to_its_phrase_only():
    """01-a and 01-a-b do not mix."""
    entry = image_entry([grounding("a"), grounding("a b")], "x", ["02-a-b.png", "01-a.png"])
    assert [found.files for found in entry.groundings] == [("01-a.png",), ("02-a-b.png",)]


def test_text_is_utf_8_and_numbers_are_plain():
    """Letters stay letters; numpy's numbers are written as Python's."""
    one = grounding(
        "Erguß", boxes=(Box(np.float32(1.5), np.float32(2), np.float32(3), np.float32(4), np.float32(0.5)),)
    )
    text = Document((image_entry([one]),)).text()
    assert "Erguß" in text
    assert text.endswith("}\n")
    assert json.loads(text)["images"][0]["groundings"][0]["boxes"][0]["x0"] == 1.5


def test_image_without_file_or_folder():
    """None is null."""
    one = grounding(source=None)
    entry = json.loads(Document((image_entry([one]),)).text())["images"][0]
    assert (entry["source"], entry["folder"], entry["files"]) == (None, None, [])


def test_nothing_found():
    """Zeros and empty lists, valid JSON."""
    found = json.loads(Document((image_entry([empty_grounding()]),)).text())["images"][0]["groundings"][0]
    assert (found["boxes"], found["mask_area"], found["heat"]["peak"]) == ([], 0, 0.0)


def test_image_that_was_not_seen_at_all():
    """The peak is somewhere; its share says that it means nothing."""
    zero = np.zeros((4, 5), np.float32)
    plain = grounding()
    one = Grounding(Image(zero + 0.5), plain.phrase, HeatMap(zero, zero > 0), zero > 0, (), plain.provenance)
    assert image_entry([one]).groundings[0].heat.seen == 0


def test_peak_is_looked_for_where_the_model_looked():
    """Also where all heat there is negative."""
    values = np.full((4, 5), -1, np.float32)
    values[0] = 0
    seen = np.ones((4, 5), bool)
    seen[0] = False
    plain = grounding()
    one = Grounding(Image(np.abs(values)), plain.phrase, HeatMap(values, seen), values > 0, (), plain.provenance)
    assert image_entry([one]).groundings[0].heat.peak == pytest.approx(-1)


def test_a_report_stands_in_the_document_with_offsets_and_places(tmp_path):
    """Every mention points into the text, and at its grounding or a reason."""
    told = grounded_report()
    asked = (grounding("left lung"), *told.groundings)
    written = write(asked, tmp_path, ["json"], "x", told)
    (image,) = json.loads((written.folder / "groundings.json").read_text(encoding="utf-8"))["images"]
    report = image["report"]
    assert report["text"] == told.report.text
    assert report["sentences"][0]["section"] == "findings"
    mentions = [one for sentence in report["sentences"] for one in sentence["mentions"]]
    for mention, answer in zip(mentions, told.answers, strict=True):
        words = report["text"][mention["start"] : mention["end"]].lower()
        assert words in answer.mention.phrase.lower() or answer.mention.phrase.lower().endswith(words)
        assert (mention["grounding"] is None) == bool(mention["reason"])
        if mention["grounding"] is not None:
            assert image["groundings"][mention["grounding"]]["phrase"] == mention["phrase"]
    assert image["files"] == ["report.html"]


def test_a_report_that_states_nothing_is_a_document_without_groundings(tmp_path):
    told = grounded_report("No effusion.")
    written = write((), tmp_path, ["json", "png", "npz"], "x", told)
    assert {file.name for file in written.files} == {"groundings.json", "report.html"}
    (image,) = json.loads((written.folder / "groundings.json").read_text(encoding="utf-8"))["images"]
    assert image["groundings"] == []
    assert image["source"] == "scans/chest.png"
    assert image["report"]["sentences"][0]["mentions"][0]["status"] == "absent"


def test_a_second_run_without_a_report_takes_its_page_away(tmp_path):
    told = grounded_report()
    write(told.groundings, tmp_path, ["json"], "x", told)
    written = write([grounding()], tmp_path, ["json"], "x")
    assert {file.name for file in written.folder.iterdir()} == {"groundings.json"}
