"""The threshold table: where a heat map is cut."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from jaxtyping import Bool, Float

from deixis.registry import Table


class Threshold(Protocol):
    """Finds the value above which heat counts."""

    def __call__(self, heat: Float[np.ndarray, "row column"]) -> float:
        """The cut of a map in [0, 1] that is not constant."""
        ...


THRESHOLDS: Table[Threshold] = Table(
    kind="threshold",
    group="deixis.thresholds",
    builtin={"otsu": "deixis.maps.masks:otsu", "half": "deixis.maps.masks:half", "mean": "deixis.maps.masks:mean"},
)


def cut(heat: Float[np.ndarray, "row column"], threshold: str) -> Bool[np.ndarray, "row column"]:
    """Where the heat exceeds the named threshold; nowhere in a constant map."""
    if heat.min() == heat.max():
        return np.zeros(heat.shape, np.bool_)
    return heat > THRESHOLDS[threshold](heat)


def otsu(heat: Float[np.ndarray, "row column"]) -> float:
    """Two classes with least variance within (Otsu 1979), 256 bins; the published choice.

    The published code asks for it as a multi-Otsu of two classes, which breaks near-ties between bins another way
    than `threshold_otsu` does.
    """
    from skimage.filters import threshold_multiotsu

    return float(threshold_multiotsu(heat, classes=2)[0])


def half(heat: Float[np.ndarray, "row column"]) -> float:
    """Half of the maximum."""
    return float(heat.max()) / 2


def mean(heat: Float[np.ndarray, "row column"]) -> float:
    """The mean of the map."""
    return float(heat.mean())
