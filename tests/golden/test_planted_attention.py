"""Attention planted at a known place comes back as a box there, in the file's own pixels."""

from dataclasses import replace

import numpy as np
import pytest

from deixis.geometry import Placement
from deixis.ground import open_image
from deixis.recipes import FAST, GUIDED, PAPER, InvertedWalk, Reading
from deixis.types import Box, Image
from planted_model import CELL, PlantedModel

READINGS = {"planted": Reading(sites=(0,), log_snr=(-2.47, -0.90))}
RECIPES = {
    "paper": replace(PAPER, walk=InvertedWalk(steps=100), readings=READINGS),
    "fast": replace(FAST, readings=READINGS),
    "guided": replace(GUIDED, readings=READINGS),
}
SHAPES = [(128, 128), (256, 256), (300, 200), (200, 301), (97, 130), (1024, 800)]
PLACE = Box(24, 48, 64, 80)


def planted_view(shape, recipe, place, **options):
    return open_image(Image(np.full(shape, 0.5, np.float32)), PlantedModel(place, **options), recipe)


@pytest.mark.parametrize("fit", ["crop", "pad"])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("recipe", RECIPES)
def test_the_planted_box_comes_back(recipe, shape, fit):
    """One box, each edge within one attention cell of where it was planted; mask and heat agree with it."""
    chosen = replace(RECIPES[recipe], fit=fit)
    found = planted_view(shape, chosen, PLACE).find("some effusion")
    placement = Placement.fitting(shape, (128, 128), fit)
    truth = placement.box_to_native(PLACE)
    cell = CELL / min(placement.scale)
    assert len(found.boxes) == 1
    edges = np.array([(getattr(found.boxes[0], edge), getattr(truth, edge)) for edge in ("x0", "y0", "x1", "y1")])
    assert np.abs(edges[:, 0] - edges[:, 1]).max() <= cell
    rows, columns = np.nonzero(found.mask)
    assert (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1) == tuple(edges[:, 0])
    peak = np.unravel_index(found.heat.values.argmax(), shape)
    assert truth.x0 <= peak[1] < truth.x1
    assert truth.y0 <= peak[0] < truth.y1


def test_a_place_outside_the_crop_is_not_found():
    """What was cut off was not seen: nothing is claimed there."""
    view = planted_view((128, 384), RECIPES["guided"], Box(-100, 0, -50, 60))
    found = view.find("some effusion")
    assert found.boxes == ()
    assert not found.mask.any()
    assert not found.heat.values.any()
    assert not found.heat.seen[:, :128].any()
    assert found.heat.seen[:, 128:256].all()


def test_words_that_point_away_are_turned_round_by_the_information():
    """The paper's reading lands beside the place, the guided one on it."""
    shape = (200, 301)
    truth = Placement.fitting(shape, (128, 128)).box_to_native(PLACE)
    centre = int((truth.y0 + truth.y1) / 2), int((truth.x0 + truth.x1) / 2)
    heats = {
        name: planted_view(shape, RECIPES[name], PLACE, upside_down=True).find("some effusion").heat.values[centre]
        for name in ("fast", "guided")
    }
    assert heats["fast"] < 0.1
    assert heats["guided"] > 0.9
