"""Masks and heat as DICOM Segmentations."""

from dataclasses import replace

import numpy as np
import pytest
from pydicom import uid

from deixis.types import Phrase
from deixis.writers.dicom_objects import Made
from deixis.writers.dicom_original import Original
from deixis.writers.dicom_seg import LEVELS, SEGMENTATIONS
from dicom_reading import errors, planes
from unit.writers.dicom_making import groundings, written
from unit.writers.making import NOTICE


def made(path, *phrases, **how) -> tuple[Made, Made]:
    found = groundings(path, *phrases, **how)
    masks, heat = SEGMENTATIONS.of(found, Original.of_image(found[0].image))
    return masks, heat


def test_masks_come_back_equal(tmp_path):
    """One segment per phrase, by its label, in the image's own pixels."""
    found = groundings(written(tmp_path), "edema", "effusion", "nothing")
    found[1] = replace(found[1], mask=~found[1].mask)
    masks, _ = SEGMENTATIONS.of(found, Original.of_image(found[0].image))
    read = planes(masks.dataset)
    assert list(read) == ["edema", "effusion", "nothing"]
    for one in found:
        np.testing.assert_array_equal(read[one.phrase.text], one.mask)


@pytest.mark.parametrize("shape", [(60, 80), (61, 83), (33, 1000)])
def test_any_size_comes_back(shape, tmp_path):
    """Also where a row's bits fill no whole bytes."""
    found = groundings(written(tmp_path, shape=shape), "edema", "effusion", shape=shape)
    masks, heat = SEGMENTATIONS.of(found, Original.of_image(found[0].image))
    np.testing.assert_array_equal(planes(masks.dataset)["effusion"], found[1].mask)
    np.testing.assert_allclose(planes(heat.dataset)["effusion"], found[1].heat.values, atol=0.501 / LEVELS)


def test_heat_comes_back_within_half_a_level(tmp_path):
    found = groundings(written(tmp_path))
    _, heat = SEGMENTATIONS.of(found, Original.of_image(found[0].image))
    assert heat.dataset.SegmentationType == "FRACTIONAL"
    assert heat.dataset.SegmentationFractionalType == "PROBABILITY"
    for one in found:
        np.testing.assert_allclose(planes(heat.dataset)[one.phrase.text], one.heat.values, atol=0.501 / LEVELS)


def test_all_masks_empty(tmp_path):
    """An answer too."""
    masks, heat = made(written(tmp_path), "nothing")
    assert not planes(masks.dataset)["nothing"].any()
    assert not planes(heat.dataset)["nothing"].any()


def test_segments_say_what_they_are_and_who_made_them(tmp_path):
    masks, _ = made(written(tmp_path), "right pleural effusion", "hazy opacity")
    known, own = masks.dataset.SegmentSequence
    assert known.SegmentedPropertyTypeCodeSequence[0].CodeValue == "60046008"
    assert own.SegmentedPropertyTypeCodeSequence[0].CodingSchemeDesignator == "99DEIXIS"
    for segment in (known, own):
        (algorithm,) = segment.SegmentationAlgorithmIdentificationSequence
        assert segment.SegmentAlgorithmType == "AUTOMATIC"
        assert algorithm.AlgorithmName == "deixis"
        assert "recipe=guided" in algorithm.AlgorithmParameters
        assert "ab" * 32 in algorithm.AlgorithmParameters
    assert known.TrackingUID != own.TrackingUID
    assert known.TrackingID == "right pleural effusion"


def test_long_and_unusual_phrases_fit_their_labels(tmp_path):
    """The label is cut, the description is whole."""
    long = "opacity in the right lower lobe, " * 5
    masks, _ = made(written(tmp_path), long, "胸水 / “x”\\y")
    first, second = masks.dataset.SegmentSequence
    assert first.SegmentLabel.endswith("…")
    assert len(first.SegmentLabel) <= 64
    assert first.SegmentDescription == long.strip()
    assert second.SegmentLabel == "胸水 / “x”/y"


def test_it_refers_to_the_image_in_the_same_study_in_a_series_of_its_own(tmp_path):
    path = written(tmp_path)
    masks, heat = made(path)
    source = Original.of_image(groundings(path)[0].image).header
    for one in (masks.dataset, heat.dataset):
        assert one.StudyInstanceUID == source.StudyInstanceUID
        assert one.SeriesInstanceUID != source.SeriesInstanceUID
        (series,) = one.ReferencedSeriesSequence  # viewers look for the image here
        assert series.SeriesInstanceUID == source.SeriesInstanceUID
        assert series.ReferencedInstanceSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID
        assert "Research use only" in one.ContentDescription
        assert one.ImageComments == f"Research use only, not for diagnosis. {NOTICE}."
        assert one.Manufacturer == "deixis"
    assert masks.dataset.SeriesInstanceUID != heat.dataset.SeriesInstanceUID


def test_same_question_same_object_but_for_the_clock(tmp_path):
    path = written(tmp_path)
    clock = {
        "InstanceCreationDate",
        "InstanceCreationTime",
        "ContentDate",
        "ContentTime",
        "ContributingEquipmentSequence",
    }
    first, second = ([element for element in made(path)[0].dataset if element.keyword not in clock] for _ in range(2))
    assert first == second


def change_kind(kind):
    return lambda image: setattr(image, "SOPClassUID", kind)


BAD = {
    "age": lambda image: setattr(image, "PatientAge", "62"),
    "no orientation": lambda image: delattr(image, "PatientOrientation"),
    "monochrome1": lambda image: setattr(image, "PhotometricInterpretation", "MONOCHROME1"),
    "frame of reference": lambda image: setattr(image, "FrameOfReferenceUID", "1.2.3"),
    "sex and dates": lambda image: [
        setattr(image, name, value)
        for name, value in (("PatientSex", "U"), ("PatientBirthDate", "1947-03-12"), ("StudyTime", "10:15"))
    ],
    "accession": lambda image: setattr(image, "AccessionNumber", "1" * 20),
    "nothing known": lambda image: [
        delattr(image, name)
        for name in ("PatientName", "PatientID", "StudyDate", "StudyID", "Modality", "SeriesNumber")
    ],
    "umlaut": lambda image: [
        setattr(image, name, value)
        for name, value in (("SpecificCharacterSet", "ISO_IR 100"), ("PatientName", "PHÄNTOM^Ü"))
    ],
    "dx": change_kind(uid.DigitalXRayImageStorageForPresentation),
    "sc": change_kind(uid.SecondaryCaptureImageStorage),
    "no spacing": lambda image: delattr(image, "PixelSpacing"),
    "good": lambda image: None,
}


@pytest.mark.parametrize("kind", sorted(BAD))
def test_the_validator_finds_no_error_whatever_the_image_holds(kind, tmp_path):
    with_it = made(written(tmp_path, BAD[kind]), "right pleural effusion", "nothing", "hazy Trübung " * 9)
    for one in with_it:
        (tmp_path / "made.dcm").write_bytes(one.encoded())
        assert errors(tmp_path / "made.dcm") == []


def test_phrases_may_be_equal(tmp_path):
    masks, _ = made(written(tmp_path), "edema", "edema")
    assert [one.SegmentNumber for one in masks.dataset.SegmentSequence] == [1, 2]
    assert len({one.TrackingUID for one in masks.dataset.SegmentSequence}) == 2


def test_a_phrase_of_which_a_part_is_sought_is_named_whole(tmp_path):
    masks, _ = made(written(tmp_path), Phrase("left effusion", (5, 13)))
    assert masks.dataset.SegmentSequence[0].SegmentLabel == "left effusion"
