"""Phantoms as DICOM CR."""

import subprocess

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from deixis.errors import OutputError
from deixis.images import read
from deixis.types import Image
from deixis.writers.dicom_cr import write_cr
from needs import program


@pytest.fixture
def image(grey):
    return Image(grey, (0.7, 0.35))


def test_read_back_is_equal(image, tmp_path):
    """Within half of 1/4095, spacing included, without a notice."""
    back = read(write_cr(image, tmp_path / "a.dcm"))
    assert np.abs(back.pixels - image.pixels).max() <= 0.501 / 4095
    assert back.spacing == image.spacing
    assert back.notices == ()


@settings(max_examples=25, deadline=None)
@given(arrays.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(2, 9)), elements=st.floats(0, 1, width=32)))
def test_any_image_comes_back(tmp_path_factory, pixels):
    """Black, white and all between."""
    pixels = pixels.copy()
    pixels.flat[:2] = 0, 1
    back = read(write_cr(Image(pixels), tmp_path_factory.mktemp("cr") / "a.dcm"))
    assert np.abs(back.pixels - pixels).max() <= 0.501 / 4095


def test_same_image_same_file(image, tmp_path):
    """Identifiers follow from the content: the same twice, others for another image."""
    first, second = (write_cr(image, tmp_path / name).read_bytes() for name in "ab")
    other = pydicom.dcmread(write_cr(Image(1 - image.pixels), tmp_path / "c"))
    assert first == second
    one = pydicom.dcmread(tmp_path / "a")
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        assert getattr(one, keyword).is_valid
        assert getattr(one, keyword) != getattr(other, keyword)


def test_it_is_about_nobody(image, tmp_path):
    """Patient PHANTOM, no dates, no institution."""
    made = pydicom.dcmread(write_cr(image, tmp_path / "a.dcm"))
    assert made.PatientName == made.PatientID == "PHANTOM"
    for keyword in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber", "StudyID"):
        assert made[keyword].value in ("", None)
    assert "InstitutionName" not in made


def test_it_is_what_it_says(image, tmp_path):
    """Computed Radiography, explicit little endian, 12 bits in 16."""
    made = pydicom.dcmread(write_cr(image, tmp_path / "a.dcm"))
    assert made.SOPClassUID == made.file_meta.MediaStorageSOPClassUID == pydicom.uid.ComputedRadiographyImageStorage
    assert made.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
    assert (made.BitsAllocated, made.BitsStored, made.HighBit) == (16, 12, 11)
    assert (made.WindowCenter, made.WindowWidth) == (2048, 4096)


def test_validator_finds_no_error(image, tmp_path):
    """dicom3tools' dciodvfy, where it is installed."""
    validator = program("dciodvfy", package="dicom3tools")
    path = write_cr(image, tmp_path / "a.dcm")
    done = subprocess.run([validator, str(path)], capture_output=True, text=True, check=False)
    assert "Error" not in done.stderr + done.stdout
    assert "CRImage" in done.stderr + done.stdout


def test_unwritable_place(image, tmp_path):
    """A missing folder."""
    with pytest.raises(OutputError, match=r"cannot be written"):
        write_cr(image, tmp_path / "missing" / "a.dcm")
