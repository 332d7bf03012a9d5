"""Recipes: the constants, and that every name in them is in its table."""

import dataclasses

import pytest

from deixis.errors import UnknownNameError
from deixis.maps.evidence import EVIDENCE
from deixis.maps.fusion import FUSIONS
from deixis.maps.masks import THRESHOLDS
from deixis.maps.refiners import REFINERS
from deixis.recipes import DEFAULT, PAPER, PAPER_INTENDED, RECIPES, InvertedWalk, Source, recipe


@pytest.mark.parametrize("name", RECIPES)
def test_every_name_in_a_recipe_is_known(name):
    """Evidence and threshold are rows of their tables; the key is the recipe's own name; one line says what it is."""
    row = recipe(name)
    assert row.name == name
    assert row.threshold in THRESHOLDS
    assert row.fusion in FUSIONS
    for source in row.sources:
        assert source.evidence in EVIDENCE
        assert all(refiner in REFINERS for refiner in source.refiners)
    assert row.summary
    assert "\n" not in row.summary


def test_the_paper_has_its_published_constants():
    """300 asked steps, T/2 ± 10 %, σ 2.5, Otsu, crop without antialiasing, nearest on the way back."""
    assert PAPER.walk == InvertedWalk(steps=300, step="published", window=(0.4, 0.6))
    assert (PAPER.smoothing, PAPER.threshold, PAPER.sources) == (2.5, "otsu", (Source("words"),))
    assert (PAPER.fit, PAPER.antialias, PAPER.back) == ("crop", False, "nearest")


def test_paper_intended_differs_by_its_step_only():
    """Everything else is the paper's."""
    assert PAPER_INTENDED.walk == InvertedWalk(step="intended")
    changed = {
        field.name
        for field in dataclasses.fields(PAPER)
        if getattr(PAPER, field.name) != getattr(PAPER_INTENDED, field.name)
    }
    assert changed == {"name", "summary", "walk"}


def test_the_default_is_a_recipe():
    """And an unknown one lists the known."""
    assert recipe(DEFAULT).name == DEFAULT
    with pytest.raises(UnknownNameError, match="guided"):
        recipe("gided")
