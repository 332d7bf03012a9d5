"""What happens to a map before it is cut: smoothing, and the range [0, 1]."""

from __future__ import annotations

import numpy as np
import scipy.ndimage
from jaxtyping import Float, Float32

# Widths of the Gaussian after which it is cut off; scipy's own default, named because the answer depends on it.
TRUNCATE = 4.0


def refined(
    heat: Float[np.ndarray, "row column"], sigma: float, gamma: float = 1.0
) -> Float32[np.ndarray, "row column"]:
    """The heat under a Gaussian of `sigma` pixels (border mirrored, cut at 4 σ), in [0, 1], to the power `gamma`.

    As the code of arXiv 2404.12920 does with σ = 2.5 and no power. A `gamma` below 1 levels a heat whose peaks stand
    out of what they belong to: it changes no ranking of pixels, but what a threshold keeps.
    """
    blurred = scipy.ndimage.gaussian_filter(np.asarray(heat, np.float32), sigma, mode="reflect", truncate=TRUNCATE)
    return np.asarray(to_unit_range(np.asarray(blurred)) ** np.float32(gamma))


def to_unit_range(heat: Float[np.ndarray, "row column"]) -> Float32[np.ndarray, "row column"]:
    """Minimum to 0, maximum to 1; a constant map, which points nowhere, becomes 0."""
    low, high = float(heat.min()), float(heat.max())
    # A difference of rounding errors is no difference.
    if high - low <= np.finfo(np.float32).eps * max(abs(low), abs(high)):
        return np.zeros(heat.shape, np.float32)
    return np.asarray((heat - low) / (high - low), np.float32)
