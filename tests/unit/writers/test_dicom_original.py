"""The image that objects are about."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom import uid

from deixis.errors import ImageError
from deixis.types import Image
from deixis.writers.dicom_original import Original
from unit.writers.dicom_making import groundings, written

SECRET = "DOE^JANE"


def image(path: Path) -> Image:
    return groundings(path)[0].image


def refusal(path: Path) -> str:
    with pytest.raises(ImageError) as caught:
        Original.of_image(image(path))
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_identity_and_size_are_kept_and_pixels_are_not(tmp_path):
    path = written(tmp_path)
    source, header = pydicom.dcmread(path), Original.of_image(image(path)).header
    for keyword in ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "Rows", "Columns"):
        assert header[keyword].value == source[keyword].value
    assert header.PatientOrientation == ["L", "F"]
    assert "PixelData" not in header


def test_the_file_is_left_as_it_is(tmp_path):
    path = written(tmp_path)
    before = path.read_bytes()
    Original.of_image(image(path))
    assert path.read_bytes() == before


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"])
@pytest.mark.parametrize("value", [None, "", SECRET, "1." * 40])
def test_without_identity_there_is_nothing_to_refer_to(keyword, value, tmp_path):
    """The tag is named, its value is not."""
    number = pydicom.datadict.tag_for_keyword(keyword)

    def change(made):
        delattr(made, keyword) if value is None else setattr(made, keyword, value)
        made.file_meta.MediaStorageSOPInstanceUID = "1.2"

    text = refusal(written(tmp_path, change))
    assert f"{keyword} ({number >> 16:04X},{number & 0xFFFF:04X}) is missing or is no unique identifier" in text


def test_a_malformed_identifier_that_an_archive_uses_is_kept(tmp_path):
    """Another one would refer to nothing."""
    path = written(tmp_path, lambda made: setattr(made, "StudyInstanceUID", "1.2.0345.6"))
    assert Original.of_image(image(path)).header.StudyInstanceUID == "1.2.0345.6"


@pytest.mark.parametrize(("written_as", "read_as"), [
    (["L", "F"], ["L", "F"]), (["A", "FL"], ["A", "FL"]), (["l", "f"], ["L", "F"]), (["L"], ""), (["X", "Y"], ""),
    (None, ""),
])  # fmt: skip
def test_orientation_where_the_image_properly_says_it(written_as, read_as, tmp_path):
    path = written(tmp_path, lambda made: setattr(made, "PatientOrientation", written_as))
    assert Original.of_image(image(path)).header.PatientOrientation == read_as


def test_several_frames_are_refused_and_say_what_to_do(tmp_path):
    def change(made):
        made.NumberOfFrames = 2
        made.PixelData = made.PixelData * 2

    assert "NumberOfFrames (0028,0008) is more than 1" in refusal(written(tmp_path, change))


@pytest.mark.parametrize("kind", [uid.CTImageStorage, uid.MultiFrameGrayscaleWordSecondaryCaptureImageStorage, "1.2.3"])
def test_other_images_are_refused(kind, tmp_path):
    """A CT slice has a place in space, which what is written would leave out."""
    path = written(tmp_path, lambda made: setattr(made, "SOPClassUID", kind))
    assert "SOPClassUID (0008,0016) is none of CR, DX and SC" in refusal(path)


def test_a_patient_id_that_cannot_be_kept_is_refused(tmp_path):
    """Emptied, it would take the answers away from the patient."""
    path = written(tmp_path, lambda made: setattr(made, "PatientID", "x" * 65))
    assert "PatientID (0010,0020)" in refusal(path)


def test_an_image_without_file_and_one_that_is_no_dicom(tmp_path):
    plain = image(written(tmp_path))
    with pytest.raises(ImageError, match="comes from no file"):
        Original.of_image(replace(plain, source=None))
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    with pytest.raises(ImageError, match=r"a\.png is no DICOM file, and seg, sr and sc refer to one\. Leave them out"):
        Original.of_image(replace(plain, source=tmp_path / "a.png"))


def test_a_file_that_went_or_changed(tmp_path):
    plain = image(written(tmp_path))
    with pytest.raises(ImageError, match="has changed"):
        Original.of_image(Image(np.eye(3, dtype=np.float32), source=plain.source))
    plain.source.unlink()
    with pytest.raises(ImageError, match="cannot be read any more"):
        Original.of_image(plain)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.4])
def test_a_file_that_is_cut_short(share, tmp_path):
    """One line, whatever is missing."""
    path = written(tmp_path)
    header = path.read_bytes()[:1000]
    path.write_bytes(header[: int(share * len(header))] if share > 0.2 else header[:140])
    refusal(path)


@pytest.mark.parametrize("value", ["many", "", "-1"])
def test_frames_that_are_no_number_count_as_one(value, tmp_path):
    """The reader has looked at the pixels already."""

    def change(made):
        made.add_new("NumberOfFrames", "LO", value)

    assert Original.of_image(image(written(tmp_path, change))).header.Rows == 60
