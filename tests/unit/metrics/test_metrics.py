"""Our metrics against oracles, at their extremes, and under changes that must not matter."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import average_precision_score, roc_auc_score

from deixis.errors import CaseError
from deixis.metrics import METRICS, Comparison, normalised
from deixis.metrics.boxes import accuracy_at, filled, iou_matrix, matched_greedily, top_box_iou
from deixis.metrics.cnr import contrast_to_noise
from deixis.metrics.iou import mean_iou
from deixis.metrics.pointing import pointing_game
from deixis.types import Box, HeatMap

TRUTH = np.zeros((12, 16), bool)
TRUTH[3:7, 4:9] = True
# Few levels, so that ties are common.
HEATS = arrays(np.float64, TRUTH.shape, elements=st.integers(0, 6).map(lambda level: level / 6))


def compared(heat: np.ndarray, truth: np.ndarray = TRUTH) -> Comparison:
    """A heat map seen everywhere, its mask at one half."""
    return Comparison(heat, np.ones(truth.shape, bool), truth, (Box(4, 3, 9, 7),), heat > 0.5, (), heat)


@given(HEATS)
def test_areas_agree_with_scikit_learn(heat: np.ndarray) -> None:
    """AUROC and AUPRC are scikit-learn's, ties included."""
    answer = compared(heat)
    assert METRICS["auroc"].score(answer) == pytest.approx(roc_auc_score(TRUTH.ravel(), heat.ravel()))
    assert METRICS["auprc"].score(answer) == pytest.approx(average_precision_score(TRUTH.ravel(), heat.ravel()))


@given(HEATS)
def test_every_metric_stays_in_its_range(heat: np.ndarray) -> None:
    """All rows of the table."""
    for name in METRICS.names():
        metric, answer = METRICS[name], compared(heat)
        if metric.applies(answer):
            value = metric.score(answer)
            assert metric.low <= value <= metric.high, name


@given(HEATS)
def test_ranking_metrics_ignore_monotone_rescaling(heat: np.ndarray) -> None:
    """Squaring the heat changes neither area nor peak; shifting and scaling does not change CNR."""
    plain, squared = compared(heat), compared(heat**2)
    for name in ("auroc", "auprc", "pointing"):
        assert METRICS[name].score(plain) == pytest.approx(METRICS[name].score(squared))
    first, second = contrast_to_noise(heat, TRUTH), contrast_to_noise(0.3 * heat + 0.2, TRUTH)
    assert first == second or first == pytest.approx(second, abs=1e-6)


def test_perfect_and_inverted_answers() -> None:
    """The truth itself scores best, its opposite worst."""
    perfect, inverted = compared(TRUTH.astype(float)), compared((~TRUTH).astype(float))
    for name in ("auroc", "auprc", "pointing", "miou", "iou", "dice", "inside"):
        assert METRICS[name].score(perfect) == 1, name
    for name in ("auroc", "pointing", "miou", "iou", "dice", "inside"):
        assert METRICS[name].score(inverted) == 0, name
    assert METRICS["cnr"].score(perfect) == math.inf
    assert METRICS["cnr"].score(inverted) == -math.inf
    assert METRICS["cnr_abs"].score(inverted) == math.inf


def test_a_constant_map_scores_chance() -> None:
    """½ for AUROC, the truth's share for pointing and AUPRC, no contrast, no overlap."""
    flat = compared(np.zeros(TRUTH.shape))
    assert METRICS["auroc"].score(flat) == 0.5
    assert METRICS["pointing"].score(flat) == pytest.approx(TRUTH.mean())
    assert METRICS["auprc"].score(flat) == pytest.approx(TRUTH.mean())
    assert METRICS["cnr"].score(flat) == 0
    assert METRICS["miou"].score(flat) == 0


def test_mean_iou_by_hand() -> None:
    """A map of .25 inside and 0 outside overlaps fully at .1 and .2 only."""
    assert mean_iou(TRUTH * 0.25, TRUTH) == pytest.approx(2 / 5)


def test_pointing_with_tolerance() -> None:
    """A peak three pixels away counts with a tolerance of three and not of two."""
    heat = np.zeros(TRUTH.shape)
    heat[3, 11] = 1
    assert pointing_game(heat, TRUTH, 3.0) == 1
    assert pointing_game(heat, TRUTH, 2.0) == 0


def test_unseen_pixels_count_as_not_predicted() -> None:
    """Normalisation looks at seen pixels only and leaves the others 0."""
    values = np.full((4, 6), 0.5, np.float32)
    values[1, 1] = 2.0
    seen = np.ones((4, 6), bool)
    seen[:, 4:] = False
    values[:, 4:] = 0
    scaled = normalised(HeatMap(values, seen))
    assert scaled.max() == 1
    assert scaled[0, 0] == 0
    assert not scaled[:, 4:].any()


def test_a_truth_that_covers_nothing_or_everything_is_an_error() -> None:
    """There would be no inside or no outside."""
    for truth in (np.zeros((3, 3), bool), np.ones((3, 3), bool)):
        with pytest.raises(CaseError, match="covers"):
            compared(np.zeros((3, 3)), truth)


def test_boxes_fill_their_half_open_ranges() -> None:
    """Whole-pixel boxes are exactly their slices; outside parts are cut."""
    mask = filled([Box(4, 3, 9, 7), Box(-3, 10, 2, 40)], TRUTH.shape)
    assert mask[3:7, 4:9].all()
    assert mask[10:, :2].all()
    assert mask.sum() == 20 + 4


def test_box_overlap_and_matching() -> None:
    """Half-shifted boxes overlap by a third; each true box is matched once, best score first."""
    truth = [Box(0, 0, 10, 10), Box(20, 0, 30, 10)]
    found = [Box(5, 0, 15, 10, 0.9), Box(20, 0, 30, 10, 0.8), Box(21, 0, 30, 10, 0.3)]
    overlaps = iou_matrix(found, truth)
    assert overlaps[0, 0] == pytest.approx(1 / 3)
    assert overlaps[1, 1] == 1
    pairs = matched_greedily(found, truth, 0.25)
    assert {(pair.found, pair.truth) for pair in pairs} == {(0, 0), (1, 1)}
    assert top_box_iou(found, truth) == pytest.approx(1 / 3)
    assert accuracy_at(found, truth, 0.5) == 0
