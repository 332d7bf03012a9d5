"""Pictures as Secondary Capture."""

import numpy as np
import pytest

from deixis.images import read
from deixis.writers.dicom_original import Original
from deixis.writers.dicom_sc import CAPTURES
from deixis.writers.overlay import picture
from dicom_reading import errors
from unit.writers.dicom_making import groundings, written
from unit.writers.test_dicom_seg import BAD


def made(path, *phrases):
    found = groundings(path, *phrases)
    return CAPTURES.of(found, Original.of_image(found[0].image)), found


def test_the_picture_is_the_overlay(tmp_path):
    """Pixel for pixel, with its notice burnt in; one per phrase."""
    captures, found = made(written(tmp_path))
    for capture, one in zip(captures, found, strict=True):
        np.testing.assert_array_equal(capture.dataset.pixel_array, np.asarray(picture(one)))
        assert capture.dataset.BurnedInAnnotation == "YES"
        assert capture.dataset.ImageComments == one.phrase.text
    assert [capture.dataset.InstanceNumber for capture in captures] == [1, 2]
    assert len({capture.dataset.SeriesInstanceUID for capture in captures}) == 1
    assert len({capture.dataset.SOPInstanceUID for capture in captures}) == 2


def test_our_own_reader_reads_it(tmp_path):
    captures, _ = made(written(tmp_path), "edema")
    assert read(captures[0].encoded()).notices == ("colour converted to grey",)


@pytest.mark.parametrize(("row", "kept"), [(["L", "F"], ["L", "F"]), (["R", "F"], ["R", "F"]), (None, "")])
def test_orientation_is_the_images_or_unknown(row, kept, tmp_path):
    captures, _ = made(written(tmp_path, lambda image: setattr(image, "PatientOrientation", row)), "edema")
    assert captures[0].dataset.PatientOrientation == kept


def test_it_refers_to_the_image(tmp_path):
    captures, found = made(written(tmp_path), "edema")
    source = Original.of_image(found[0].image).header
    (reference,) = captures[0].dataset.SourceImageSequence
    assert reference.ReferencedSOPInstanceUID == source.SOPInstanceUID
    assert captures[0].dataset.StudyInstanceUID == source.StudyInstanceUID
    assert "Research use only" in captures[0].dataset.SeriesDescription


@pytest.mark.parametrize("kind", sorted(BAD))
def test_the_validator_finds_no_error_whatever_the_image_holds(kind, tmp_path):
    captures, _ = made(written(tmp_path, BAD[kind]), "hazy Trübung " * 9)
    (tmp_path / "made.dcm").write_bytes(captures[0].encoded())
    assert errors(tmp_path / "made.dcm") == []
