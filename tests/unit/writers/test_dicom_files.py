"""DICOM objects as files, and what is said where there can be none."""

from dataclasses import replace

import pydicom
import pytest

from deixis.errors import ImageError, UnknownNameError
from deixis.types import Image
from deixis.writers import DICOM_OBJECTS, WRITERS, check_image, write
from unit.writers.dicom_making import groundings, written
from unit.writers.making import grounding

ALL = ("seg", "sr", "sc", "json")


def test_files_are_named_after_image_and_phrase(tmp_path):
    """And listed in the document, those of a phrase with it."""
    done = write(groundings(written(tmp_path), "edema", "effusion"), tmp_path / "out", ALL)
    assert [file.name for file in done.files] == [
        "01-edema.sc.dcm", "02-effusion.sc.dcm", "chest.heat.dcm", "chest.seg.dcm", "chest.sr.dcm", "groundings.json",
    ]  # fmt: skip
    text = (done.folder / "groundings.json").read_text()
    assert all(f'"{file.name}"' in text for file in done.files[:-1])


def test_every_file_is_part_10_and_the_original_is_left_alone(tmp_path):
    path = written(tmp_path)
    before = path.read_bytes()
    done = write(groundings(path), tmp_path, ALL, stem="chest")
    for file in done.files:
        if file.suffix == ".dcm":
            made = pydicom.dcmread(file)
            assert made.file_meta.MediaStorageSOPInstanceUID == made.SOPInstanceUID
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", sorted(DICOM_OBJECTS.builtin))
def test_an_image_that_is_no_dicom_is_refused_before_anything_is_written(name, tmp_path):
    plain = tmp_path / "chest.png"
    plain.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    with pytest.raises(ImageError, match="no DICOM file"):
        check_image(Image(grounding().image.pixels, source=plain), ["png", name])
    with pytest.raises(ImageError, match="no DICOM file"):
        write([replace(grounding(), image=replace(grounding().image, source=plain))], tmp_path / "out", [name])
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_other_formats_take_any_image(tmp_path):
    check_image(grounding().image, ["png", "json", "npz"])


def test_what_makes_objects_also_writes_files():
    """The tables agree, and say of which kinds the objects are."""
    assert set(DICOM_OBJECTS.builtin) <= set(WRITERS.builtin)
    with pytest.raises(UnknownNameError, match="DICOM object format"):
        _ = DICOM_OBJECTS["png"]


def test_objects_are_of_the_kinds_that_their_row_names(tmp_path):
    from deixis.writers.dicom_identity import Question
    from deixis.writers.dicom_original import Original

    found = groundings(written(tmp_path))
    original = Original.of_image(found[0].image)
    asked = Question.of(original, found)
    for name in DICOM_OBJECTS:
        row = DICOM_OBJECTS[name]
        expected = [(kind, uid) for kind in row.kinds for uid in asked.instances(kind)]
        assert [(one.kind, one.dataset.SOPInstanceUID) for one in row.of(found, original)] == expected


def test_without_the_extra_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("deixis.writers.dicom_objects.find_spec", lambda name: None)
    with pytest.raises(ImageError, match=r"pip install 'deixis\[dicom\]'"):
        check_image(groundings(written(tmp_path))[0].image, ["seg"])
