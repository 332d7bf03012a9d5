"""A recipe's sources in one pass."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from deixis.errors import DeixisError
from deixis.maps.fusion import fused
from deixis.maps.plan import read, scope_of
from deixis.maps.reading import Question
from deixis.recipes import BEST, FAST, RECIPES, NoisedWalk, Reading, Source
from deixis.types import Box, Phrase
from planted_model import PlantedModel
from walking import reader_of, walked

PLACE = Box(32, 64, 96, 128)


def reader(model, draws=4):
    return reader_of(model, walked(model, model.encode(torch.zeros(1, 1, 128, 128)), NoisedWalk(draws)))


def maps(*given):
    """All maps of all phrases."""
    return torch.stack([torch.from_numpy(one.map) for one in read(*given)])


def question(model, *texts):
    return Question.of_one_image(tuple(Phrase(text) for text in texts), model.embed(texts))


def test_several_sources_cost_what_the_dearest_costs():
    """Guided and likelihood, two phrases, four noisings: 4 with "" and 4 for each phrase."""
    model = PlantedModel(PLACE)
    read(reader(model), question(model, "some effusion", "opacity"), BEST)
    assert model.calls == 12


def test_each_source_is_what_it_is_alone():
    """Sharing the pass changes nothing."""
    model = PlantedModel(PLACE)
    asked = question(model, "some effusion")
    sources = (Source("words", 0.3), Source("guided", 0.7))
    alone = [maps(reader(model), asked, replace(FAST, sources=(one,))) for one in sources]
    together = maps(reader(model), asked, replace(FAST, sources=sources))
    torch.testing.assert_close(together, fused(alone, [0.3, 0.7], "product"))


def test_a_source_may_name_sites_and_noise_levels():
    """Levels inside the window share the weight, those outside have none."""
    model = PlantedModel(PLACE)
    source = Source("words", readings={"planted": Reading((1, 2), (-1.5, 0.0))})
    scope = scope_of(reader(model, draws=5), source)
    assert [site.index for site in scope.sites] == [1, 2]
    levels = reader(model, draws=5).model.schedule.log_snr(reader(model, draws=5).trajectories[0].timesteps)
    inside = (levels >= -1.5) & (levels <= 0.0)
    assert (scope.levels.numpy() > 0).tolist() == inside.tolist()
    assert scope.levels.sum().item() == pytest.approx(1)


def test_a_window_that_no_step_reaches_is_an_error():
    """It says which levels the walk reads."""
    model = PlantedModel(PLACE)
    with pytest.raises(DeixisError, match=r"only reads -2\.\d+ to -0\.\d+"):
        scope_of(reader(model), Source("words", readings={"planted": Reading((1,), (3.0, 4.0))}))


def test_refiners_follow_each_other():
    """Twice the same is not once."""
    model = PlantedModel(PLACE)
    asked = question(model, "left effusion")
    once, twice = (
        maps(reader(model), asked, replace(FAST, sources=(Source("words", refiners=("location-prior",) * count),)))
        for count in (1, 2)
    )
    assert not torch.allclose(once, twice)


def test_no_prior_of_place_enters_best():
    """It has a recipe of its own."""
    for name in ("best", "best-instant"):
        assert not any("prior" in refiner for source in RECIPES[name].sources for refiner in source.refiners)
    assert any("location-prior" in source.refiners for source in RECIPES["best-prior"].sources)


def test_halves_are_what_every_other_level_says():
    """Even and odd noise levels in the same pass; with one level there is nothing to halve."""
    model = PlantedModel(PLACE)
    asked, recipe = question(model, "some effusion"), replace(FAST, halves=True)
    (found,) = read(reader(model, draws=4), asked, recipe)
    assert model.calls == 4
    assert len(found.halves) == 2
    np.testing.assert_allclose((found.halves[0] + found.halves[1]) / 2, found.map, atol=1e-6)
    assert read(reader(model, draws=1), asked, recipe)[0].halves == ()
    assert read(reader(model, draws=4), asked, FAST)[0].halves == ()


def test_a_window_of_one_level_counts_whole_in_both_halves():
    """Otherwise a half would have nothing to go by."""
    model = PlantedModel(PLACE)
    source = Source("words", readings={"planted": Reading((1,), (-1.0, -0.8))})
    (found,) = read(reader(model, draws=4), question(model, "effusion"), replace(FAST, sources=(source,), halves=True))
    np.testing.assert_array_equal(found.halves[0], found.halves[1])
