"""What every metric must keep to: its range, the right answer best, the wrong one worst, no side preferred."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deixis.metrics import METRICS, Comparison, normalised
from deixis.metrics.boxes import filled
from deixis.types import Box, HeatMap

SHAPE = (24, 32)
# Their value depends on the order of ranks alone, so a rising change of the heat changes nothing.
RANKED = ("auroc", "auprc", "pointing", "auroc_smoothed")
# Not higher for a better map: these are the paper's, whose quirks are kept.
PUBLISHED = tuple(name for name in METRICS if name.startswith("published"))


def comparison(heat, box, *, side=None, mask=None, found=None):
    known = HeatMap(heat.astype(np.float32), np.ones(heat.shape, bool))
    values = normalised(known)
    return Comparison(
        heat=values,
        seen=known.seen,
        truth=filled([box], heat.shape),
        boxes=(box,),
        mask=values > 0.5 if mask is None else mask,
        found=(Box(box.x0, box.y0, box.x1, box.y1, 0.9),) if found is None else found,
        smoothed=values,
        side=side,
    )


@st.composite
def drawn(draw):
    """A random map and a box inside it."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x0, y0 = draw(st.integers(0, 28)), draw(st.integers(0, 20))
    x1, y1 = draw(st.integers(x0 + 1, 32)), draw(st.integers(y0 + 1, 24))
    if (x1 - x0) * (y1 - y0) == SHAPE[0] * SHAPE[1]:
        x1 -= 1
    return rng.random(SHAPE), Box(x0, y0, x1, y1)


def truth_map(box):
    return filled([box], SHAPE).astype(np.float64)


@pytest.mark.parametrize("name", METRICS)
@given(drawn())
@settings(max_examples=25)
def test_values_lie_in_the_range_that_the_metric_says(name, given_):
    heat, box = given_
    metric = METRICS[name]
    value = metric.score(comparison(heat, box, side="left"))
    assert isinstance(value, float)
    assert math.isnan(value) or metric.low - 1e-9 <= value <= metric.high + 1e-9


@pytest.mark.parametrize("name", [name for name in METRICS if name not in PUBLISHED])
@given(drawn())
@settings(max_examples=15)
def test_the_truth_itself_is_never_worse_than_a_random_map(name, given_):
    """With its own mask and box; the side is the one on which the truth lies."""
    heat, box = given_
    side = "left" if box.x0 + box.x1 > SHAPE[1] else "right"
    metric = METRICS[name]
    perfect = metric.score(comparison(truth_map(box), box, side=side))
    other = metric.score(comparison(heat, box, side=side))
    assert math.isnan(other) or perfect >= other - 1e-9


@pytest.mark.parametrize("name", ["auroc", "miou", "iou", "dice", "pointing", "inside"])
def test_the_opposite_of_the_truth_is_worst(name):
    """Heat everywhere but in the box."""
    box = Box(4, 4, 12, 12)
    value = METRICS[name].score(comparison(1 - truth_map(box), box))
    assert value == pytest.approx(0, abs=1e-9)
    assert METRICS["cnr"].score(comparison(1 - truth_map(box) + heat_noise(), box)) < 0


def heat_noise():
    """A little, so that no variance is 0."""
    return np.random.default_rng(0).random(SHAPE) / 100


@pytest.mark.parametrize("name", [name for name in METRICS if name != "laterality"])
@given(drawn())
@settings(max_examples=10)
def test_a_mirror_changes_nothing(name, given_):
    """Image, truth and boxes turned over together."""
    heat, box = given_
    turned = Box(SHAPE[1] - box.x1, box.y0, SHAPE[1] - box.x0, box.y1)
    one, other = (METRICS[name].score(comparison(h, b)) for h, b in ((heat, box), (heat[:, ::-1], turned)))
    assert (math.isnan(one) and math.isnan(other)) or one == pytest.approx(other, abs=1e-9)


def test_a_mirror_turns_the_side():
    """Heat on the image's right is on the patient's left."""
    heat = np.zeros(SHAPE)
    heat[:, 20:] = 1
    box = Box(20, 0, 32, 24)
    score = METRICS["laterality"].score
    assert score(comparison(heat, box, side="left")) == 1
    assert score(comparison(heat, box, side="right")) == 0
    assert score(comparison(heat[:, ::-1], box, side="right")) == 1
    assert score(comparison(np.zeros(SHAPE), box, side="left")) == 0.5


@pytest.mark.parametrize("name", RANKED)
@given(drawn(), st.sampled_from([np.sqrt, np.square, np.exp, lambda heat: 3 * heat + 1]))
@settings(max_examples=15)
def test_a_rising_change_of_the_heat_changes_no_rank(name, given_, change):
    heat, box = given_
    # Apart enough that float32 keeps them apart after the change.
    heat = (np.argsort(np.argsort(heat.ravel())).reshape(SHAPE) + 1) / heat.size
    one, other = (METRICS[name].score(comparison(h, box)) for h in (heat, change(heat)))
    assert one == pytest.approx(other, abs=1e-9)


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_says_what_it_is(name):
    metric = METRICS[name]
    assert metric.name == name
    assert metric.summary
    assert metric.low < metric.high
    assert metric.direction in {"higher", "lower"}


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_applies_where_it_has_what_it_needs(name):
    """Without mask, boxes, smoothed heat and side, only those that need none of them."""
    box = Box(4, 4, 12, 12)
    heat = normalised(HeatMap(truth_map(box).astype(np.float32), np.ones(SHAPE, bool)))
    bare = Comparison(heat=heat, seen=np.ones(SHAPE, bool), truth=filled([box], SHAPE))
    assert METRICS[name].applies(bare) == (not METRICS[name].needs)
    assert METRICS[name].applies(comparison(truth_map(box), box, side="left"))
