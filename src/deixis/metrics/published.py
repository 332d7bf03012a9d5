"""The metrics as the published code of arXiv 2404.12920 computes them, quirks and all, under names of their own.

They take the heat as it came (already in [0, 1]) with NaN where it was not seen, and boxes of whole pixels. Each
docstring names what differs from ours. Golden values: tests/golden/metrics.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from deixis.metrics.boxes import filled
from deixis.metrics.comparison import Comparison, Metric
from deixis.metrics.iou import mean_iou
from deixis.types import Box

CUTS = (1.0, 0.75, 0.5, 0.25, 0.0)  # the five thresholds of its binned ROC, falling


def published_cnr(heat: Float[np.ndarray, "y x"], boxes: Sequence[Box], *, absolute: bool = False) -> float:
    """Mean over boxes of (μ_in - μ_out) / √(σ²_in + σ²_out), of its absolute value if asked (what the paper prints).

    Quirk: every box is blanked in the shared map once used, so later boxes see neither its inside nor it as
    background, and the value depends on the boxes' order. A box without a finite pixel counts 0.
    """
    left = heat.astype(np.float64)
    values = []
    for box in boxes:
        mask = filled([box], heat.shape)
        inside = left[mask]
        left[mask] = np.nan
        values.append(_ratio(inside[np.isfinite(inside)], left[np.isfinite(left)]))
    return float(np.mean(np.abs(values) if absolute else values))


def published_miou(heat: Float[np.ndarray, "y x"], boxes: Sequence[Box]) -> float:
    """Mean over .1 .2 .3 .4 .5 of IoU(heat > t, union of boxes); the unseen margin counts as not predicted."""
    return mean_iou(np.nan_to_num(heat, nan=-1.0), filled(boxes, heat.shape))


def published_auc(heat: Float[np.ndarray, "y x"], boxes: Sequence[Box]) -> float:
    """Area under the ROC through five cuts only; ½ where inside or outside is not seen at all.

    Quirk: NaN >= 0 is false, so the unseen margin drops out of both counts.
    """
    truth = filled(boxes, heat.shape)
    reached = [heat >= cut for cut in CUTS]
    true = np.array([0, *((mask & truth).sum() for mask in reached)], dtype=np.float64)
    false = np.array([0, *((mask & ~truth).sum() for mask in reached)], dtype=np.float64)
    total = true[-1] * false[-1]
    return float(np.trapezoid(true, false) / total) if total else 0.5


def _ratio(inside: Float[np.ndarray, " a"], outside: Float[np.ndarray, " b"]) -> float:
    if not inside.size or not outside.size:
        return 0.0
    noise = math.sqrt(float(inside.var() + outside.var()))
    return float(inside.mean() - outside.mean()) / noise if noise else 0.0


def _blanked(comparison: Comparison) -> Float[np.ndarray, "y x"]:
    return np.where(comparison.seen, comparison.heat, np.nan)


PUBLISHED_CNR = Metric(
    "published_cnr",
    "CNR of arXiv 2404.12920's code, signed: mean over boxes, each blanked after use",
    lambda c: published_cnr(_blanked(c), c.boxes),
    low=-math.inf,
    high=math.inf,
)
PUBLISHED_CNR_ABS = Metric(
    "published_cnr_abs",
    "CNR as arXiv 2404.12920 prints it: mean over boxes of the absolute value",
    lambda c: published_cnr(_blanked(c), c.boxes, absolute=True),
    high=math.inf,
)
PUBLISHED_MIOU = Metric(
    "published_miou",
    "mIoU of arXiv 2404.12920's code",
    lambda c: published_miou(_blanked(c), c.boxes),
)
PUBLISHED_AUC = Metric(
    "published_auc",
    "AUC of arXiv 2404.12920's code: five cuts, the unseen margin dropped",
    lambda c: published_auc(_blanked(c), c.boxes),
)
