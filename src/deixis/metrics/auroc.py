"""Ranking of pixels: exact areas under the ROC and the precision-recall curve."""

from __future__ import annotations

import numpy as np

from deixis.metrics.comparison import Curve, Metric


def area_under_roc(curve: Curve) -> float:
    """Probability that a pixel of the truth is hotter than one outside, ties counted half (Mann-Whitney U).

    In [0, 1]; ½ for a map that says nothing. The trapezoid over all distinct thresholds is that probability exactly.
    """
    true = np.concatenate([[0], curve.true]) / curve.true[-1]
    false = np.concatenate([[0], curve.false]) / curve.false[-1]
    return float(np.trapezoid(true, false))


def average_precision(curve: Curve) -> float:
    """AUPRC as average precision, Σ (R_n - R_{n-1}) P_n over falling thresholds, without interpolation.

    In (0, 1]; the share of truth pixels for a map that says nothing. Source: scikit-learn's definition.
    """
    gained = np.diff(np.concatenate([[0], curve.true])) / curve.true[-1]
    precision = curve.true / (curve.true + curve.false)
    # Not a BLAS product: its last bit depends on where in memory the arrays lie, and a resumed run is to be equal.
    return float(np.sum(gained * precision))


AUROC = Metric(
    "auroc",
    "exact area under the pixel ROC of the final heat, ties averaged",
    lambda c: area_under_roc(c.curve),
)
AUPRC = Metric(
    "auprc",
    "average precision over pixels of the final heat",
    lambda c: average_precision(c.curve),
)
AUROC_SMOOTHED = Metric(
    "auroc_smoothed",
    "as auroc, on the heat before the method's threshold (a threshold ties all that it removes)",
    lambda c: area_under_roc(c.curve_before_threshold),
    needs=("smoothed",),
)
