"""Codes of findings."""

import pytest
from pydicom.sr.codedict import codes

from deixis.types import Phrase
from deixis.writers.dicom_codes import ABNORMAL, DEVICE, FINDINGS, OTHER_WORDS, PRIVATE, finding_of


@pytest.mark.parametrize(("phrase", "value"), [
    ("Pleural Effusion", "60046008"),
    ("right pleural effusion", "60046008"),
    ("small left-sided effusion", "60046008"),
    ("pneumothorax in the left apex", "36118008"),
    ("moderate pulmonary edema", "19242006"),
    ("enlarged heart", "8186001"),
    ("left lung nodule", "427359005"),
    ("central line", "52124006"),
])  # fmt: skip
def test_a_finding_with_how_much_and_where_is_coded(phrase, value):
    finding = finding_of(Phrase(phrase))
    assert (finding.what.scheme, finding.what.value) == ("SCT", value)


@pytest.mark.parametrize("phrase", [
    "no pleural effusion", "possible pneumonia", "pleural effusion has resolved", "effusion or consolidation",
    "the heart", "pericardial effusion", "胸水", "hazy opacity", "effusions",
])  # fmt: skip
def test_anything_else_gets_a_code_of_our_own(phrase):
    """Also where a finding's name stands in it: it may be denied, doubted, or another one."""
    finding = finding_of(Phrase(phrase))
    assert (finding.what.scheme, finding.what.meaning, finding.category) == (PRIVATE, phrase, ABNORMAL)
    assert len(finding.what.value) <= 16


def test_the_category_counts_where_it_is_known():
    assert finding_of(Phrase("there is fluid at the base", category="Pleural Effusion")).what.value == "60046008"
    assert finding_of(Phrase("effusion", category="something else")).what.value == "60046008"


def test_same_text_same_code_another_text_another():
    one, other = (finding_of(Phrase(text)).what for text in ("hazy opacity", "hazy opacities"))
    assert one == finding_of(Phrase("hazy opacity")).what
    assert one.value != other.value


def test_devices_are_objects():
    assert {name for name, finding in FINDINGS.items() if finding.category == DEVICE} == {
        "central venous catheter", "endotracheal tube", "pacemaker",
    }  # fmt: skip


@pytest.mark.parametrize(("name", "theirs"), [
    ("pleural effusion", codes.SCT.PleuralEffusion),
    ("pneumothorax", codes.SCT.Pneumothorax),
    ("edema", codes.SCT.PulmonaryEdema),
    ("central venous catheter", codes.SCT.CentralVenousCatheter),
    ("endotracheal tube", codes.SCT.EndotrachealTube),
    ("pacemaker", codes.SCT.CardiacPacemaker),
])  # fmt: skip
def test_codes_are_those_of_dicoms_context_groups(name, theirs):
    ours = FINDINGS[name].what
    assert (ours.value, ours.meaning) == (theirs.value, theirs.meaning)


def test_categories_are_those_of_dicoms_context_group():
    for ours, theirs in (
        (ABNORMAL, codes.cid7150.MorphologicallyAbnormalStructure),
        (DEVICE, codes.SCT.PhysicalObject),
    ):
        assert (ours.value, ours.scheme, ours.meaning) == (theirs.value, theirs.scheme_designator, theirs.meaning)


def test_no_code_stands_for_two_findings():
    assert len({finding.what.value for finding in FINDINGS.values()}) == len(FINDINGS)
    assert set(OTHER_WORDS.values()) <= set(FINDINGS)
