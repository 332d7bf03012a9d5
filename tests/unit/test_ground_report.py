"""A whole report in, a grounded report out."""

import numpy as np
import pytest

import deixis
from deixis.errors import ReportError
from deixis.ground import open_image
from deixis.ground_report import REASONS, ground_report, report_in
from deixis.language import read_report
from deixis.types import Box
from planted_model import TOKENS, PlantedModel

TEXT = """FINDINGS: Left effusion. No edema. Possible scarring. The tube has been removed.
IMPRESSION: Left effusion. Cardiomegaly."""


@pytest.fixture
def planted():
    return PlantedModel(Box(16, 16, 48, 48))


def test_what_is_stated_is_grounded_and_the_rest_listed(grey, planted):
    told = ground_report(grey, TEXT, planted)
    by_phrase = {one.mention.phrase: one for one in told.answers}
    assert {phrase for phrase, one in by_phrase.items() if one.grounding is not None} == {
        "left effusion", "cardiomegaly",
    }  # fmt: skip
    for phrase, status in (("edema", "absent"), ("scarring", "uncertain"), ("tube", "prior")):
        assert by_phrase[phrase].reason == REASONS[status]


def test_a_phrase_is_asked_once(grey, planted):
    told = ground_report(grey, TEXT, planted)
    assert [one.phrase.text for one in told.groundings] == ["left effusion", "cardiomegaly"]
    first, second = (one.grounding for one in told.answers if one.mention.phrase == "left effusion")
    assert first is second


def test_the_phrase_knows_class_and_side(grey, planted):
    (found, _) = ground_report(grey, TEXT, planted).groundings
    assert (found.phrase.category, found.phrase.laterality) == ("Pleural Effusion", "left")


def test_groundings_are_those_of_the_phrases_alone(grey, tiny_model):
    told = ground_report(grey, TEXT, tiny_model)
    alone = deixis.ground(grey, ["left effusion", "cardiomegaly"], tiny_model)
    for one, other in zip(told.groundings, alone, strict=True):
        np.testing.assert_allclose(one.heat.values, other.heat.values, atol=1e-3)


def test_a_phrase_that_the_model_does_not_take_ends_nothing(grey, tiny_model):
    """It is listed with the reason; the others are grounded."""
    side = "left upper lateral posterior medial "
    told = ground_report(grey, f"Edema. {side * 30}opacity.", tiny_model)
    edema, opacity = told.answers
    assert edema.grounding is not None
    assert opacity.grounding is None
    assert "tokens" in opacity.reason


def test_a_report_that_states_nothing_needs_no_model(grey):
    told = ground_report(grey, "The lungs are clear. No effusion.", "no such model")
    assert told.groundings == ()
    assert [one.reason for one in told.answers] == [REASONS["absent"]]


def test_an_empty_report_is_an_error_before_the_image_is_read():
    with pytest.raises(ReportError, match="holds no words"):
        ground_report("missing.png", " ")


def test_a_report_that_was_read_already_is_taken(grey, planted):
    report = read_report(TEXT)
    assert ground_report(grey, report, planted).report is report
    assert report_in(open_image(grey, planted), report).report is report


def test_a_view_tells_why_it_does_not_take_a_phrase(grey, tiny_model):
    view = open_image(grey, tiny_model)
    assert view.refusal("left effusion") is None
    assert "tokens" in view.refusal("left effusion " * 100)


def test_the_public_names_are_there():
    assert deixis.ground_report is ground_report
    assert {"ground_report", "GroundedReport", "RadiologyReport"} <= set(deixis.__all__)
    assert TOKENS > 0
