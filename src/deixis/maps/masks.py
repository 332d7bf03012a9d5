"""The threshold table: where a heat map is cut."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import scipy.ndimage
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
    builtin={
        "otsu": "deixis.maps.masks:otsu",
        "mixture": "deixis.maps.masks:mixture",
        "half": "deixis.maps.masks:half",
        "mean": "deixis.maps.masks:mean",
        "top-tenth": "deixis.maps.masks:top_tenth",
    },
)


# Pixels that touch at a corner belong together.
NEIGHBOURS = np.ones((3, 3), np.int8)
# Rounds of expectation maximisation after which two Gaussians hardly move.
ROUNDS = 50


def cut(
    heat: Float[np.ndarray, "row column"], threshold: str, minimum_peak: float = 0.0
) -> Bool[np.ndarray, "row column"]:
    """Where the heat exceeds the named threshold; nowhere in a constant map.

    Connected parts that nowhere reach `minimum_peak` of the highest heat are left out, as hysteresis does.
    """
    if heat.min() == heat.max():
        return np.zeros(heat.shape, np.bool_)
    mask = heat > THRESHOLDS[threshold](heat)
    labels, count = scipy.ndimage.label(mask, NEIGHBOURS)
    if count < 2 or minimum_peak <= 0:
        return mask
    peaks = np.asarray(scipy.ndimage.maximum(heat, labels, range(1, count + 1)))
    return np.isin(labels, 1 + np.flatnonzero(peaks >= minimum_peak * heat.max()))


def otsu(heat: Float[np.ndarray, "row column"]) -> float:
    """Two classes with least variance within (Otsu 1979), 256 bins; the published choice.

    The published code asks for it as a multi-Otsu of two classes, which breaks near-ties between bins another way
    than `threshold_otsu` does.
    """
    from skimage.filters import threshold_multiotsu

    return float(threshold_multiotsu(heat, classes=2)[0])


def mixture(heat: Float[np.ndarray, "row column"]) -> float:
    """The mean of the two means of a mixture of two Gaussians over the values, as Generate to Ground cuts.

    Fitted by expectation maximisation from the halves below and above the middle of the range.
    """
    values = heat.ravel().astype(np.float64)
    middle = (values.min() + values.max()) / 2
    share = np.where(values > middle, 0.99, 0.01)
    means = np.zeros(2)
    for _ in range(ROUNDS):
        belonging = np.stack([1 - share, share])
        mass = belonging.sum(axis=1)
        means = belonging @ values / mass
        spread = (belonging * (values[None] - means[:, None]) ** 2).sum(axis=1) / mass + 1e-9
        density = mass[:, None] * np.exp(-((values[None] - means[:, None]) ** 2) / (2 * spread[:, None]))
        density /= np.sqrt(spread)[:, None]
        share = density[1] / np.maximum(density.sum(axis=0), 1e-300)
    return float(means.mean())


def half(heat: Float[np.ndarray, "row column"]) -> float:
    """Half of the maximum."""
    return float(heat.max()) / 2


def mean(heat: Float[np.ndarray, "row column"]) -> float:
    """The mean of the map."""
    return float(heat.mean())


def top_tenth(heat: Float[np.ndarray, "row column"]) -> float:
    """The value that a tenth of the pixels exceed."""
    return float(np.quantile(heat, 0.9))
