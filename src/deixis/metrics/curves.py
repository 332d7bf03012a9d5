"""Curves over thresholds, on fixed grids so that cases can be averaged."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from deixis.metrics.comparison import Comparison
from deixis.metrics.iou import intersection_over_union

# Shares of the background at which a ROC is read, and thresholds at which an IoU is.
FALSE_RATES = np.linspace(0, 1, 21)
LEVELS = np.linspace(0, 0.95, 20)


def roc_at(comparison: Comparison) -> Float64[np.ndarray, " rate"]:
    """Share of the truth that is reached when `FALSE_RATES` of the background are."""
    curve, size = comparison.curve, int(comparison.truth.sum())
    false = np.concatenate([[0], curve.false]) / (comparison.truth.size - size)
    true = np.concatenate([[0], curve.true]) / size
    return np.asarray(np.interp(FALSE_RATES, false, true))


def iou_at(comparison: Comparison) -> Float64[np.ndarray, " level"]:
    """IoU of the heat above each of `LEVELS` with the truth."""
    return np.array([intersection_over_union(comparison.heat > level, comparison.truth) for level in LEVELS])
