"""What happens to maps before they are fused."""

import pytest
import torch

from deixis.maps.location_prior import CLOSED, SHARE, gaussian
from deixis.maps.reading import Question
from deixis.maps.refiners import REFINERS
from deixis.recipes import NoisedWalk
from deixis.types import Box, Phrase
from planted_model import PlantedModel
from walking import reader_of, walked

PLACE = Box(32, 64, 96, 128)


def refined(name, maps, *texts):
    model = PlantedModel(PLACE)
    reader = reader_of(model, walked(model, model.encode(torch.zeros(1, 1, 128, 128)), NoisedWalk(2)))
    phrases = tuple(Phrase(text) for text in texts)
    return REFINERS[name](maps, reader, Question.of_one_image(phrases, model.embed(texts))), reader


@pytest.mark.parametrize("name", REFINERS.names())
def test_every_row_keeps_phrases_apart_and_maps_finite(name):
    """One map per phrase, >= 0; a map that says nothing is no error."""
    maps = torch.stack([torch.rand(16, 16), torch.zeros(16, 16)])
    found, _ = refined(name, maps, "left effusion", "opacity")
    assert found.shape[0] == 2
    assert torch.isfinite(found).all()
    assert (found >= 0).all()
    alone, _ = refined(name, maps[:1], "left effusion")
    torch.testing.assert_close(found[0], alone[0])


def test_what_looks_alike_shares_its_heat():
    """Queries are alike inside the place: heat in one of its cells spreads over it, and not outside."""
    inside = PlantedModel(PLACE)._inside(16) > 0.5
    seed = torch.zeros(16, 16)
    seed[tuple(inside.nonzero()[0])] = 1.0
    found, _ = refined("alike", seed[None], "effusion")
    assert found[0][inside].min() > found[0][~inside].max()
    assert found[0][inside].std() < 1e-6


def test_spreading_keeps_a_constant_map():
    """Rows of the affinity sum to 1."""
    found, _ = refined("alike-twice", torch.full((1, 16, 16), 0.4), "effusion")
    torch.testing.assert_close(found, torch.full((1, 16, 16), 0.4))


def test_words_of_place_make_a_hill_where_they_say():
    """The patient's left is on the image's right; lower is lower; both sides are wide."""
    left, lower, both = (gaussian(text, (32, 32)) for text in ("left effusion", "lower zone", "bilateral opacity"))
    assert left.sum(0).argmax() > 16
    assert lower.sum(1).argmax() > 16
    assert both.sum(0).argmax() in (15, 16)
    assert gaussian("upper left zone", (32, 32)).argmax() % 32 > 16
    assert gaussian("effusion", (32, 32)) is None


def test_the_prior_gates_and_adds_a_tenth():
    """1[G > 1e-5]·A + 0.1·G, worked out again; a phrase without a place keeps its map."""
    maps = 3 * torch.rand(2, 16, 16)
    found, _ = refined("location-prior", maps, "right effusion", "effusion")
    hill = gaussian("right effusion", (16, 16))
    torch.testing.assert_close(found[0], (hill > CLOSED) * maps[0] / maps[0].max() + SHARE * hill)
    torch.testing.assert_close(found[1], maps[1] / maps[1].max())
