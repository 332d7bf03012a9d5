"""Overlap of areas: IoU and Dice of a mask, and mIoU of a heat map over thresholds."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from deixis.metrics.comparison import Comparison, Metric

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5)  # arXiv 2204.09817 (MS-CXR), kept by arXiv 2404.12920


def intersection_over_union(mask: Bool[np.ndarray, "y x"], truth: Bool[np.ndarray, "y x"]) -> float:
    """|mask ∩ truth| / |mask ∪ truth|, in [0, 1]; 0 where both are empty."""
    union = int((mask | truth).sum())
    return int((mask & truth).sum()) / union if union else 0.0


def dice(mask: Bool[np.ndarray, "y x"], truth: Bool[np.ndarray, "y x"]) -> float:
    """2 |mask ∩ truth| / (|mask| + |truth|), in [0, 1]; 0 where both are empty."""
    total = int(mask.sum()) + int(truth.sum())
    return 2 * int((mask & truth).sum()) / total if total else 0.0


def mean_iou(
    heat: Float[np.ndarray, "y x"],
    truth: Bool[np.ndarray, "y x"],
    thresholds: tuple[float, ...] = THRESHOLDS,
) -> float:
    """Mean over thresholds t of IoU(heat > t, truth); the heat is in [0, 1]."""
    return sum(intersection_over_union(heat > t, truth) for t in thresholds) / len(thresholds)


def _own_mask(comparison: Comparison) -> Bool[np.ndarray, "y x"]:
    if comparison.mask is None:
        raise ValueError("this method has no mask of its own")
    return comparison.mask


MIOU = Metric(
    "miou",
    "mean IoU(heat > t, truth) over t = .1 .2 .3 .4 .5",
    lambda c: mean_iou(c.heat, c.truth),
)
IOU = Metric(
    "iou",
    "IoU of the method's own mask",
    lambda c: intersection_over_union(_own_mask(c), c.truth),
    needs=("mask",),
)
DICE = Metric(
    "dice",
    "Dice of the method's own mask",
    lambda c: dice(_own_mask(c), c.truth),
    needs=("mask",),
)
