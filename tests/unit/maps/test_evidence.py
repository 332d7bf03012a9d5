"""The evidence rows on a model whose attention is planted."""

from dataclasses import replace

import pytest
import torch

from deixis.maps.evidence import EVIDENCE
from deixis.maps.guided import agreeing
from deixis.maps.information import smoothed, standardised
from deixis.maps.plan import read
from deixis.maps.reading import Question
from deixis.recipes import FAST, NoisedWalk, Source
from deixis.types import Box, Phrase
from planted_model import PlantedModel
from walking import reader_of, walked

PLACE = Box(32, 64, 96, 128)


def ask(model, evidence, *texts, batch=16, draws=4):
    trajectory = walked(model, model.encode(torch.zeros(1, 1, 128, 128)), NoisedWalk(draws), content="")
    phrases = tuple(Phrase(text) for text in texts)
    reader = reader_of(model, trajectory, batch=batch)
    recipe = replace(FAST, sources=(Source(evidence),), readings={})
    found = read(reader, Question.of_one_image(phrases, model.embed(texts)), recipe)
    return torch.stack([torch.from_numpy(one.map) for one in found])


def contrast(heat):
    """Mean inside the place minus mean outside, in units of the map's range."""
    cell = heat.shape[-1] / 128
    rows, columns = (slice(int(a * cell), int(b * cell)) for a, b in ((PLACE.y0, PLACE.y1), (PLACE.x0, PLACE.x1)))
    inside = torch.zeros_like(heat, dtype=torch.bool)
    inside[rows, columns] = True
    span = (heat.max() - heat.min()).item() or 1.0
    return (heat[inside].mean() - heat[~inside].mean()).item() / span


@pytest.mark.parametrize("evidence", EVIDENCE.names())
def test_every_row_gives_one_finite_map_per_phrase(evidence):
    """Not negative, finite, one per phrase, on a square grid."""
    heat = ask(PlantedModel(PLACE), evidence, "some effusion", "opacity.")
    assert heat.shape[0] == 2
    assert heat.shape[1] == heat.shape[2]
    assert torch.isfinite(heat).all()
    assert (heat >= 0).all()


@pytest.mark.parametrize("evidence", ["words", "information", "guided", "guided-iterated"])
def test_planted_attention_is_found(evidence):
    """Where words attend and the noise changes, the map is high."""
    assert contrast(ask(PlantedModel(PLACE), evidence, "some effusion")[0]) > 0.7


def test_words_that_point_away_fail_in_the_paper_and_not_when_guided():
    """With the words' attention turned away from the place, the information turns it back."""
    model = PlantedModel(PLACE, upside_down=True)
    assert contrast(ask(model, "words", "some effusion")[0]) < -0.7
    assert contrast(ask(model, "guided", "some effusion")[0]) > 0.7
    assert contrast(ask(model, "guided-iterated", "some effusion")[0]) > 0.7


def test_the_end_token_points_where_words_do_not():
    """Each kind of token can be read by itself."""
    model = PlantedModel(PLACE, upside_down=True)
    assert contrast(ask(model, "end", "some effusion")[0]) > 0.7


def test_a_kind_that_a_text_lacks_gives_nothing():
    """No punctuation, no map."""
    assert ask(PlantedModel(PLACE), "punctuation", "some effusion").abs().max() == 0


def test_a_model_that_ignores_the_phrase_gives_a_constant_map():
    """Nothing changes, nothing is attended to: zeros, not NaN; what only weighs others leaves them as they are."""
    model = PlantedModel(Box(500, 500, 600, 600))
    for evidence in EVIDENCE:
        constant = 1 if evidence == "named-side" else 0
        assert (ask(model, evidence, "some effusion") == constant).all(), evidence


@pytest.mark.parametrize("evidence", ["words", "guided"])
def test_batches_do_not_change_the_answer(evidence):
    """One case a call or all in one: the same maps."""
    texts = ("some effusion", "opacity.", "left lung")
    whole = ask(PlantedModel(PLACE), evidence, *texts, batch=64)
    torch.testing.assert_close(ask(PlantedModel(PLACE), evidence, *texts, batch=1), whole)
    torch.testing.assert_close(ask(PlantedModel(PLACE), evidence, *texts, batch=5), whole)


def test_no_call_exceeds_the_batch():
    """Memory is bounded by the batch, not by phrases or steps."""
    model = PlantedModel(PLACE)
    ask(model, "guided", "a", "b", "c", batch=5, draws=7)
    assert model.largest_batch == 5


def test_the_empty_prompt_is_asked_once_for_all_phrases():
    """Guided costs draws · (phrases + 1) evaluations, words draws · phrases."""
    model = PlantedModel(PLACE)
    ask(model, "guided", "a", "b", "c", draws=4)
    assert model.calls == 16
    model = PlantedModel(PLACE)
    ask(model, "words", "a", "b", "c", draws=4)
    assert model.calls == 12


def test_agreement_keeps_its_sign():
    """A map and its negative say the same thing when the information judges them."""
    evidence = standardised(torch.arange(16.0).reshape(1, 4, 4))
    upright = agreeing(evidence[:, None], evidence)
    torch.testing.assert_close(agreeing(-evidence[:, None], evidence), upright)
    torch.testing.assert_close(upright, evidence)


def test_standardised_has_mean_0_and_deviation_1():
    """Per map; a constant map becomes 0."""
    maps = standardised(torch.stack([torch.rand(5, 5) * 1e-6, torch.full((5, 5), 0.3)]))
    assert maps[0].mean().item() == pytest.approx(0, abs=1e-5)
    assert maps[0].std(correction=0).item() == pytest.approx(1, abs=1e-5)
    assert maps[1].abs().max() == 0


def test_smoothing_keeps_the_sum():
    """A Gaussian with mirrored borders moves information and loses none."""
    maps = torch.rand(2, 6, 6)
    torch.testing.assert_close(smoothed(maps, 0.7).sum(dim=(1, 2)), maps.sum(dim=(1, 2)))
