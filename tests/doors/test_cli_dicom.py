"""`deixis ground FILE.dcm --format …,seg,sr,sc`: the door to the DICOM writers."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from calling import document, everything_below

import deixis
from deixis.types import Image
from deixis.writers.dicom_cr import write_cr
from dicom_reading import boxes, errors, planes

PHRASES = ("left effusion", "opacity")
ASKED = ("-p", PHRASES[0], "-p", PHRASES[1], "-o", "out")


@pytest.fixture
def radiograph(place, grey) -> Path:
    return write_cr(Image(grey, (0.7, 0.7)), place / "chest.dcm")


def test_all_formats_at_once(ground, radiograph, place, tiny_model):
    """What is read back is what the library answers; all of it valid; the original untouched."""
    before = radiograph.read_bytes()
    done = ground(radiograph, *ASKED, "--format", "png,json,npz,seg,sr,sc")
    assert done.code == 0, done.err
    assert everything_below(place / "out" / "chest") == [
        "01-left-effusion.npz", "01-left-effusion.png", "01-left-effusion.sc.dcm", "02-opacity.npz", "02-opacity.png",
        "02-opacity.sc.dcm", "chest.heat.dcm", "chest.seg.dcm", "chest.sr.dcm", "groundings.json",
    ]  # fmt: skip
    folder = place / "out" / "chest"
    masks = planes(pydicom.dcmread(folder / "chest.seg.dcm"))
    reported = boxes(pydicom.dcmread(folder / "chest.sr.dcm"))
    for one in deixis.ground(radiograph, PHRASES, tiny_model):
        np.testing.assert_array_equal(masks[one.phrase.text], one.mask)
        assert reported[one.phrase.text] == [replace(box, score=round(box.score, 6)) for box in one.boxes]
    for file in folder.glob("*.dcm"):
        assert errors(file) == []
    assert radiograph.read_bytes() == before


def test_the_document_lists_them(ground, radiograph, place):
    ground(radiograph, *ASKED, "--format", "json,seg,sc")
    (image,) = document(place / "out" / "chest")["images"]
    assert image["files"] == ["chest.heat.dcm", "chest.seg.dcm"]
    assert [one["files"] for one in image["groundings"]] == [["01-left-effusion.sc.dcm"], ["02-opacity.sc.dcm"]]
    assert image["view"] == "frontal"


def test_a_second_run_has_the_same_identifiers(ground, radiograph, place):
    """So that an archive that gets both keeps one."""
    found = []
    for out in ("first", "second"):
        ground(radiograph, "-p", "opacity", "-o", out, "--format", "seg,sr,sc")
        found.append([pydicom.dcmread(file).SOPInstanceUID for file in sorted((place / out).rglob("*.dcm"))])
    assert found[0] == found[1]
    assert len(set(found[0])) == 4


def test_a_picture_that_is_no_dicom_is_told_before_anything_is_computed(ground, picture, place, monkeypatch):
    def computed(*_):
        raise AssertionError("a model was loaded")

    monkeypatch.setattr("deixis.models.loading.load", computed)
    done = ground(picture, *ASKED, "--format", "png,seg")
    assert done.code == 2
    assert len(done.lines) == 1
    assert "chest.png is no DICOM file, and seg, sr and sc refer to one. Leave them out" in done.err
    assert not (place / "out").exists()


def test_one_that_is_none_harms_no_other(ground, radiograph, picture, place):
    done = ground(picture, radiograph, *ASKED, "--format", "sr")
    assert done.code == 2
    assert done.lines[-1] == "1 of 2 images failed."
    assert everything_below(place / "out") == ["chest-2", "chest-2/chest-2.sr.dcm"]


def test_a_file_that_lacks_its_study_is_told_by_tag(ground, radiograph, place):
    made = pydicom.dcmread(radiograph)
    del made.StudyInstanceUID
    made.save_as(radiograph)
    done = ground(radiograph, *ASKED, "--format", "sr")
    assert done.code == 2
    assert "StudyInstanceUID (0020,000D) is missing" in done.err
    assert ground(radiograph, *ASKED, "--format", "png").code == 0
