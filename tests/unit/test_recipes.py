"""Recipes: the constants, and that every name in them is in its table."""

import dataclasses
import math

import pytest

from deixis.errors import UnknownNameError
from deixis.maps.evidence import EVIDENCE
from deixis.maps.fusion import FUSIONS
from deixis.maps.masks import THRESHOLDS
from deixis.maps.refiners import REFINERS
from deixis.recipes import DEFAULT, PAPER, PAPER_INTENDED, RECIPES, Calibration, InvertedWalk, Source, recipe


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


def test_a_calibration_rises_from_0_to_1():
    """A logistic curve over asinh(strength), at one half where its exponent is 0."""
    curve = Calibration(offset=-1.0, slope=0.5)
    scores = [curve(strength) for strength in (-1e6, -1.0, 0.0, 3.0, 1e6)]
    assert scores == sorted(scores)
    assert 0 <= scores[0] < 0.01
    assert 0.99 < scores[-1] <= 1
    assert curve(math.sinh(2.0)) == pytest.approx(0.5)
