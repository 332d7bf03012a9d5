"""DICOM's grey-scale chain on numbers: modality values, values of interest, polarity.

All of it is elementwise. `Levels` holds each stored number once, so the chain runs over at most 65,536 numbers in
double precision however large the image is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int, Integer, Shaped

from deixis.images.levels import middle_share

# Share of the pixels beyond either end where a file says nothing about its window.
OUTSIDE = 0.005
# The least difference that a screen of 8 bits can show.
SHADE = 1 / 255


@dataclass(frozen=True)
class Levels:
    """The distinct numbers of an image.

    Args:
        values: the numbers, increasing.
        index: per pixel, which of them it is.
        counts: how many pixels are each.
    """

    values: Float64[np.ndarray, " level"]
    index: Integer[np.ndarray, "y x"]
    counts: Int[np.ndarray, " level"]

    @classmethod
    def of(cls, stored: Shaped[np.ndarray, "y x"]) -> Levels:
        """The levels of stored whole or real numbers."""
        if stored.dtype.kind in "iu" and stored.dtype.itemsize <= 2:
            low = int(stored.min())
            index = (stored.astype(np.int32) - low).astype(np.uint16)
            counts = np.bincount(index.ravel())
            return cls(np.arange(low, low + len(counts), dtype=np.float64), index, counts)
        values, inverse, counts = np.unique(stored, return_inverse=True, return_counts=True)
        return cls(values.astype(np.float64), inverse.reshape(stored.shape), counts)

    def shown(self, table: Float32[np.ndarray, " level"]) -> Float32[np.ndarray, "y x"]:
        """The image in which each level has the brightness that `table` gives it."""
        return np.asarray(table[self.index])


@dataclass(frozen=True)
class LookUp:
    """A look-up table: the number `first` and all below give the first entry, and so on to the last.

    Args:
        first: number that the first entry is for.
        entries: what comes out.
        bits: depth of what comes out.
    """

    first: int
    entries: Float64[np.ndarray, " entry"]
    bits: int

    def __call__(self, values: Float64[np.ndarray, " level"]) -> Float64[np.ndarray, " level"]:
        """The entries for `values`."""
        index = np.clip(np.rint(values - self.first), 0, len(self.entries) - 1)
        return np.asarray(self.entries[index.astype(np.int64)])


@dataclass(frozen=True)
class Window:
    """A window (PS3.3 C.11.2.1.2 and C.11.2.1.3).

    Args:
        center: middle of the window in modality values.
        width: its width, > 0, for LINEAR >= 1.
        function: "LINEAR", "LINEAR_EXACT" or "SIGMOID".
    """

    center: float
    width: float
    function: str = "LINEAR"

    def __call__(self, values: Float64[np.ndarray, " level"]) -> Float64[np.ndarray, " level"]:
        """Brightness in [0, 1]."""
        if self.function == "SIGMOID":
            exponent = np.clip(-4 * (values - self.center) / self.width, -700, 700)
            return np.asarray(1 / (1 + np.exp(exponent)))
        center, width = self.center, self.width
        if self.function == "LINEAR":
            center, width = center - 0.5, width - 1
        if width == 0:
            return (values > center).astype(np.float64)
        return np.clip((values - center) / width + 0.5, 0, 1)


FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


def spread(values: Float64[np.ndarray, " level"], low: float, high: float) -> Float64[np.ndarray, " level"]:
    """`low` → 0, `high` → 1, clipped."""
    return np.clip((values - low) / (high - low or 1.0), 0, 1)


def middle(values: Float64[np.ndarray, " level"], counts: Int[np.ndarray, " level"]) -> Float64[np.ndarray, " level"]:
    """The range without its outermost half per cent on either side → [0, 1]."""
    return spread(values, *middle_share(values, counts, OUTSIDE))


def shows_nothing(table: Float[np.ndarray, " level"], counts: Int[np.ndarray, " level"]) -> bool:
    """Whether all pixels would lie within one step of an 8-bit screen."""
    occurring: Bool[np.ndarray, " level"] = counts > 0
    return bool(np.ptp(table[occurring]) < SHADE)
