"""Boxes as a Comprehensive SR by TID 1500."""

import subprocess
from dataclasses import replace

import numpy as np
import pytest

from deixis.types import Box
from deixis.writers.dicom_original import Original
from deixis.writers.dicom_sr import REPORTS, corners
from dicom_reading import boxes, errors, findings
from needs import program
from unit.writers.dicom_making import groundings, written
from unit.writers.making import NOTICE
from unit.writers.test_dicom_seg import BAD

TWO = (Box(3, 4, 30.5, 40.25, 0.8125), Box(40, 0, 80, 60, 0.25))


def made(found):
    (one,) = REPORTS.of(found, Original.of_image(found[0].image))
    return one


def texts(item) -> list[str]:
    """All texts and meanings of a content tree."""
    own = [str(item.get("TextValue", ""))]
    own += [code.CodeMeaning for code in item.get("ConceptCodeSequence", [])]
    return own + [text for below in item.get("ContentSequence", []) for text in texts(below)]


def test_boxes_come_back_equal(tmp_path):
    """Closed polylines of five points in the image's pixels, with their scores."""
    found = groundings(written(tmp_path), "edema", "effusion")
    found[0] = replace(found[0], boxes=TWO)
    read = boxes(made(found).dataset)
    assert read == {"edema": list(TWO), "effusion": list(found[1].boxes)}


def test_a_phrase_without_box_says_so(tmp_path):
    one = made(groundings(written(tmp_path), "nothing", "edema")).dataset
    read = boxes(one)
    assert read["nothing"] == []
    assert len(read["edema"]) == 1
    assert "Nothing stands out" in texts(one)


def test_findings_are_coded_where_they_are_known(tmp_path):
    read = findings(made(groundings(written(tmp_path), "right pleural effusion", "hazy opacity")).dataset)
    assert (read[0].value, read[0].scheme_designator) == ("60046008", "SCT")
    assert read[1].scheme_designator == "99DEIXIS"
    assert read[1].meaning == "hazy opacity"


def test_the_corners_of_a_box():
    """Clockwise from the upper left, and back to it."""
    np.testing.assert_array_equal(corners(Box(1, 2, 3, 4)), [(1, 2), (3, 2), (3, 4), (1, 4), (1, 2)])


def test_it_says_who_observed_and_that_it_is_research(tmp_path):
    one = made(groundings(written(tmp_path), "edema")).dataset
    said = " ".join(texts(one))
    for part in (
        "deixis",
        "Research use only",
        "recipe=guided",
        "seed=0",
        "ab" * 32,
        "Artificial Intelligence",
        NOTICE,
    ):
        assert part in said
    assert one.VerificationFlag == "UNVERIFIED"
    assert one.PreliminaryFlag == "PRELIMINARY"
    assert "Research use only" in one.SeriesDescription


def test_every_box_can_be_tracked(tmp_path):
    """Identifiers differ among boxes, and are the same whenever the same is asked."""
    found = [replace(one, boxes=TWO) for one in groundings(written(tmp_path), "edema", "effusion")]

    def tracked(item) -> list[str]:
        own = [item.UID] if "UID" in item else []
        return own + [uid for below in item.get("ContentSequence", []) for uid in tracked(below)]

    first, second = (tracked(made(found).dataset) for _ in range(2))
    assert first == second
    assert len(set(first)) == len(first) == 5  # four boxes and the device


def test_the_evidence_is_the_image(tmp_path):
    found = groundings(written(tmp_path), "edema")
    source, one = Original.of_image(found[0].image).header, made(found).dataset
    assert one.StudyInstanceUID == source.StudyInstanceUID
    (study,) = one.CurrentRequestedProcedureEvidenceSequence
    (series,) = study.ReferencedSeriesSequence
    assert series.ReferencedSOPSequence[0].ReferencedSOPInstanceUID == source.SOPInstanceUID


def test_another_toolkit_reads_it(tmp_path):
    """DCMTK's dsrdump, which checks the tree as it walks it."""
    dump = program("dsrdump", package="dcmtk")
    (tmp_path / "made.dcm").write_bytes(made(groundings(written(tmp_path), "edema", "nothing")).encoded())
    done = subprocess.run([dump, str(tmp_path / "made.dcm")], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    for part in ("Comprehensive SR Document", '"Image Region")=(POLYLINE,', '"Nothing stands out"', '="edema"'):
        assert part in done.stdout


@pytest.mark.parametrize("kind", sorted(BAD))
def test_the_validator_finds_no_error_whatever_the_image_holds(kind, tmp_path):
    found = groundings(written(tmp_path, BAD[kind]), "right pleural effusion", "nothing", "hazy Trübung " * 9)
    found[0] = replace(found[0], boxes=TWO)
    (tmp_path / "made.dcm").write_bytes(made(found).encoded())
    assert errors(tmp_path / "made.dcm") == []
