"""Comparison: a method's heat beside the truth, in one frame and one normalisation, ready for every metric.

Unseen pixels are handled one way everywhere in our metrics: their heat is 0, so they count as not predicted and, where
the truth leaves them out, as background. Only the `published_…` variants drop or blank them as their authors do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float64, Int

from deixis.errors import CaseError
from deixis.laterality import Side
from deixis.types import Box, HeatMap

Direction = Literal["higher", "lower"]


@dataclass(frozen=True)
class Curve:
    """How many pixels inside and outside the truth reach each threshold, as the threshold falls.

    Args:
        true: pixels of the truth with heat >= threshold, one per distinct heat value, falling thresholds.
        false: pixels outside the truth likewise.
        thresholds: the distinct heat values, falling.
    """

    true: Int[np.ndarray, " threshold"]
    false: Int[np.ndarray, " threshold"]
    thresholds: Float[np.ndarray, " threshold"]


@dataclass(frozen=True)
class Comparison:
    """One heat map beside its truth.

    Args:
        heat: ``[y x]`` in [0, 1]: `normalised` over the seen pixels, 0 where unseen.
        seen: where the method looked.
        truth: where the phrase is; neither empty nor everything.
        boxes: the truth's boxes, for metrics that count boxes.
        mask: the method's own mask (the recipe's threshold), or None where it has none.
        found: the method's own boxes with scores, or None where it has none.
        smoothed: the heat before the method's threshold, in [0, 1] like `heat`; None where there is no such thing.
        side: of the patient, where the phrase names one and not the other.
    """

    heat: Float64[np.ndarray, "y x"]
    seen: Bool[np.ndarray, "y x"]
    truth: Bool[np.ndarray, "y x"]
    boxes: tuple[Box, ...] = ()
    mask: Bool[np.ndarray, "y x"] | None = None
    found: tuple[Box, ...] | None = None
    smoothed: Float64[np.ndarray, "y x"] | None = None
    side: Side | None = None

    def __post_init__(self) -> None:
        shape = self.truth.shape
        for name in ("heat", "seen", "mask", "smoothed"):
            value = getattr(self, name)
            if value is not None and value.shape != shape:
                raise CaseError(f"{name} {value.shape} is not of the truth's shape {shape}; resize it first.")
        count = int(self.truth.sum())
        if count in (0, self.truth.size):
            raise CaseError(
                f"The truth covers {count} of {self.truth.size} pixels; a score needs an inside and an outside."
            )
        if not (np.isfinite(self.heat).all() and self.heat.min() >= 0 and self.heat.max() <= 1):
            raise ValueError("heat must be finite and in [0, 1]; see `normalised`")

    @cached_property
    def curve(self) -> Curve:
        """Counts at every threshold of the heat, sorted once for all metrics that need them."""
        return counted(self.heat, self.truth)

    @cached_property
    def curve_before_threshold(self) -> Curve:
        """The same of the heat before the method's threshold; a method that cuts nothing has one curve."""
        if self.smoothed is None:
            raise ValueError("this method has no heat before a threshold")
        return self.curve if self.smoothed is self.heat else counted(self.smoothed, self.truth)


@dataclass(frozen=True)
class Metric:
    """A row of the metrics table: a pure function of a `Comparison`, and how to read its value.

    Args:
        name: its row, and its key in a report.
        summary: one line with the formula.
        score: the value for one comparison; not finite where undefined.
        low: smallest possible value.
        high: largest possible value.
        direction: which way is better.
        needs: optional fields of `Comparison` without which there is no value.
    """

    name: str
    summary: str
    score: Callable[[Comparison], float]
    low: float = 0.0
    high: float = 1.0
    direction: Direction = "higher"
    needs: tuple[str, ...] = ()

    def applies(self, comparison: Comparison) -> bool:
        """Whether the comparison holds all that this metric needs."""
        return all(getattr(comparison, name) is not None for name in self.needs) and not (
            "boxes" in self.needs and not comparison.boxes
        )


def normalised(heat: HeatMap) -> Float64[np.ndarray, "y x"]:
    """Heat min-max scaled to [0, 1] over its seen pixels; 0 where unseen. A constant map is 0 everywhere.

    The one normalisation of every method in a table.
    """
    values = heat.values.astype(np.float64)
    if not heat.seen.any():
        return np.zeros(values.shape)
    low, high = values[heat.seen].min(), values[heat.seen].max()
    if high <= low:
        return np.zeros(values.shape)
    # Dividing the difference by itself gives exactly 1 at the peak; clip guards the unseen only.
    return np.where(heat.seen, (values - low) / (high - low), 0.0)


def before_threshold(comparison: Comparison) -> Float64[np.ndarray, "y x"]:
    """The heat before the method's threshold, for metrics that need it."""
    if comparison.smoothed is None:
        raise ValueError("this method has no heat before a threshold")
    return comparison.smoothed


def counted(heat: Float[np.ndarray, "y x"], truth: Bool[np.ndarray, "y x"]) -> Curve:
    """Pixels inside and outside the truth at or above every distinct heat value."""
    inside, outside = np.sort(heat[truth]), np.sort(heat[~truth])
    thresholds = np.union1d(inside, outside)[::-1]
    return Curve(
        inside.size - np.searchsorted(inside, thresholds, side="left"),
        outside.size - np.searchsorted(outside, thresholds, side="left"),
        thresholds,
    )
