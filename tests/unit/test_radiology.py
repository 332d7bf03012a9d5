"""The values that a report is made of are valid, or not made."""

from dataclasses import FrozenInstanceError

import pytest

from deixis.errors import ReportError
from deixis.radiology import GroundedMention, GroundedReport, Mention, RadiologyReport, Sentence
from unit.writers.making import grounded_report, grounding

TEXT = "No effusion. Edema."
EFFUSION = Mention(3, 11, "absent", "Pleural Effusion", "effusion")
EDEMA = Mention(13, 18, "present", "Edema", "edema")
REPORT = RadiologyReport(TEXT, (Sentence(0, 12, "", (EFFUSION,)), Sentence(13, 19, "", (EDEMA,))))


@pytest.mark.parametrize(
    ("made", "told"),
    [
        (lambda: Mention(5, 5, "present", "Edema", "edema"), "start < end"),
        (lambda: Mention(-1, 5, "present", "Edema", "edema"), "start < end"),
        (lambda: Mention(0, 5, "maybe", "Edema", "edema"), "'maybe'"),
        (lambda: Mention(0, 5, "present", "Edema", " "), "needs a phrase"),
        (lambda: Sentence(4, 4), "start < end"),
        (lambda: Sentence(0, 5, "", (EDEMA,)), "leaves its sentence 0–5"),
        (lambda: Sentence(0, 19, "", (EDEMA, EFFUSION)), "or its order"),
        (lambda: RadiologyReport("short", (Sentence(0, 9),)), "leaves the report of 5 characters"),
        (lambda: RadiologyReport(TEXT, (Sentence(3, 9), Sentence(0, 4))), "or its order"),
        (lambda: GroundedMention(EDEMA), "either a grounding or a reason"),
        (lambda: GroundedMention(EDEMA, grounding(), "why"), "either a grounding or a reason"),
        (lambda: GroundedReport(grounding().image, REPORT, ()), "0 answers"),
    ],
)
def test_what_contradicts_itself_is_not_made(made, told):
    with pytest.raises(ReportError, match=told):
        made()


def test_mentions_are_told_in_order_and_by_status():
    assert REPORT.mentions == (EFFUSION, EDEMA)
    assert REPORT.of_status("present") == (EDEMA,)
    assert REPORT.of_status("prior") == ()


def test_values_are_frozen():
    with pytest.raises(FrozenInstanceError):
        REPORT.text = "else"
    with pytest.raises(FrozenInstanceError):
        EDEMA.status = "absent"


def test_a_grounded_report_tells_each_grounding_once():
    told = grounded_report()
    assert [one.phrase.text for one in told.groundings] == ["small right pleural effusion", "basilar atelectasis"]
    shared = [one.grounding for one in told.answers if one.mention.category == "Pleural Effusion"]
    assert len(shared) == 2
    assert shared[0] is shared[1]


def test_a_grounded_report_tells_what_was_not_grounded():
    assert [one.mention.status for one in grounded_report().ungrounded] == ["absent", "uncertain", "prior", "present"]
