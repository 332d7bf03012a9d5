"""Boxes against boxes: overlap, matching, accuracy at an overlap; and boxes as a mask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from scipy.optimize import linear_sum_assignment

from deixis.metrics.comparison import Comparison, Metric
from deixis.types import Box


@dataclass(frozen=True)
class Match:
    """One found box and the true box it is paired with.

    Args:
        found: index among the found boxes.
        truth: index among the true boxes.
        iou: their overlap.
    """

    found: int
    truth: int
    iou: float


def filled(boxes: Sequence[Box], shape: tuple[int, int]) -> Bool[np.ndarray, "y x"]:
    """The union of boxes as a mask: a pixel belongs to a box that covers its centre.

    For boxes of whole pixels these are exactly their half-open ranges.
    """
    mask = np.zeros(shape, dtype=bool)
    for box in boxes:
        # The first pixel whose centre i + ½ is at or after the edge is ceil(edge - ½).
        x0, y0, x1, y1 = (max(0, int(np.ceil(edge - 0.5))) for edge in (box.x0, box.y0, box.x1, box.y1))
        mask[y0:y1, x0:x1] = True
    return mask


def iou_matrix(found: Sequence[Box], truth: Sequence[Box]) -> Float64[np.ndarray, "found truth"]:
    """IoU of every found box with every true box, in [0, 1], on continuous coordinates."""
    first = _edges(found)[:, None]
    second = _edges(truth)[None, :]
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    shared = np.prod(np.maximum(high - low, 0.0), axis=-1)
    union = np.prod(first[..., 2:] - first[..., :2], axis=-1) + np.prod(second[..., 2:] - second[..., :2], axis=-1)
    return np.asarray(shared / (union - shared), dtype=np.float64)


def matched_best(found: Sequence[Box], truth: Sequence[Box]) -> tuple[Match, ...]:
    """One-to-one pairs with the largest total IoU (Hungarian method); pairs that do not touch are left out."""
    overlap = iou_matrix(found, truth)
    rows, cols = linear_sum_assignment(-overlap)
    pairs = (Match(int(r), int(c), float(overlap[r, c])) for r, c in zip(rows, cols, strict=True))
    return tuple(pair for pair in pairs if pair.iou > 0)


def matched_greedily(found: Sequence[Box], truth: Sequence[Box], at: float = 0.5) -> tuple[Match, ...]:
    """Found boxes by falling score, each taking the free true box it overlaps most, if IoU >= `at`.

    The matching behind mAP (Pascal VOC, COCO). Equal scores keep their order.
    """
    overlap = iou_matrix(found, truth)
    matches: list[Match] = []
    for index in sorted(range(len(found)), key=lambda i: -found[i].score):
        taken = {match.truth for match in matches}
        free = [j for j in range(len(truth)) if j not in taken and overlap[index, j] >= at]
        if free:
            best = max(free, key=lambda j: float(overlap[index, j]))
            matches.append(Match(index, best, float(overlap[index, best])))
    return tuple(matches)


def top_box_iou(found: Sequence[Box], truth: Sequence[Box]) -> float:
    """IoU of the found box with the highest score and the true box it overlaps most; 0 where nothing was found."""
    if not found or not truth:
        return 0.0
    top = max(found, key=lambda box: box.score)
    return float(iou_matrix([top], truth).max())


def accuracy_at(found: Sequence[Box], truth: Sequence[Box], at: float) -> float:
    """Acc@`at`: 1 where `top_box_iou` >= `at`, else 0 (the measure of one-box systems, e.g. TransVG, MedRPG)."""
    return float(top_box_iou(found, truth) >= at)


def _edges(boxes: Sequence[Box]) -> Float64[np.ndarray, "box 4"]:
    return np.array([(b.x0, b.y0, b.x1, b.y1) for b in boxes], dtype=np.float64).reshape(-1, 4)


def _found(comparison: Comparison) -> tuple[Box, ...]:
    if comparison.found is None:
        raise ValueError("this method has no boxes of its own")
    return comparison.found


BOX_IOU = Metric(
    "box_iou",
    "IoU of the best-scored box with the true box it overlaps most",
    lambda c: top_box_iou(_found(c), c.boxes),
    needs=("found", "boxes"),
)
ACC25 = Metric("acc25", "box_iou >= .25", lambda c: accuracy_at(_found(c), c.boxes, 0.25), needs=("found", "boxes"))
ACC50 = Metric("acc50", "box_iou >= .5", lambda c: accuracy_at(_found(c), c.boxes, 0.5), needs=("found", "boxes"))
