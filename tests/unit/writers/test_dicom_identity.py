"""Unique identifiers follow from what was asked."""

from dataclasses import replace

import pytest
from pydicom.uid import UID

from deixis.types import Phrase
from deixis.writers import dicom_identity
from deixis.writers.dicom_identity import HEAT, MASKS, PICTURES, REPORT, Question, constructor
from deixis.writers.dicom_original import Original
from unit.writers.dicom_making import groundings, written

QUESTION = Question("1.2.3", "ab" * 32, "guided", 0, "0.1.0", (Phrase("edema"), Phrase("effusion")))
KINDS = (MASKS, HEAT, REPORT, PICTURES)


def all_of(question: Question) -> list[str]:
    return [uid for kind in KINDS for uid in (question.series(kind), *question.instances(kind))]


def test_they_are_uuids_below_the_root_for_those():
    for uid in all_of(QUESTION):
        assert UID(uid).is_valid
        assert uid.startswith("2.25.")
        assert len(uid) <= 64


def test_no_two_roles_share_one():
    """A series per kind; one instance per phrase or one for all."""
    assert len(set(all_of(QUESTION))) == len(all_of(QUESTION)) == 9
    assert len(QUESTION.instances(PICTURES)) == 2
    assert len(QUESTION.instances(MASKS)) == 1


def test_the_same_question_has_the_same_ones_for_ever():
    """Pinned: another number for an answer that an archive holds would store it again."""
    assert QUESTION.series(MASKS) == "2.25.94883191598815292910563713879962816314"


@pytest.mark.parametrize("change", [
    {"instance": "1.2.4"}, {"weights_sha256": "cd" * 32}, {"recipe": "fast"}, {"seed": 1}, {"release": "0.2.0"},
    {"phrases": (Phrase("edema"),)}, {"phrases": (Phrase("effusion"), Phrase("edema"))},
    {"phrases": (Phrase("edema", (0, 2)), Phrase("effusion"))},
])  # fmt: skip
def test_another_question_has_others(change):
    assert not set(all_of(QUESTION)) & set(all_of(replace(QUESTION, **change)))


def test_the_question_of_groundings_is_what_they_say(tmp_path):
    found = groundings(written(tmp_path), "edema", "effusion")
    original = Original.of_image(found[0].image)
    asked = Question.of(original, found)
    how = found[0].provenance
    assert asked.instance == original.header.SOPInstanceUID
    assert (asked.weights_sha256, asked.recipe, asked.seed) == (how.weights_sha256, how.recipe, how.seed)
    assert [phrase.text for phrase in asked.phrases] == ["edema", "effusion"]


def test_series_stand_after_the_modalitys_and_say_what_they_are():
    how = groundings_provenance()
    numbers = [constructor(QUESTION, kind, how)["series_number"] for kind in KINDS]
    assert len(set(numbers)) == len(KINDS)
    assert min(numbers) > 9000
    for kind in KINDS:
        made = constructor(QUESTION, kind, how)
        assert dicom_identity.RESEARCH in made["series_description"]
        assert len(made["series_description"]) <= 64


def groundings_provenance():
    from unit.writers.making import grounding

    return grounding().provenance
