"""Contrast-to-noise ratio of the heat inside and outside the truth."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Bool, Float

from deixis.metrics.comparison import Metric, before_threshold


def contrast_to_noise(heat: Float[np.ndarray, "y x"], truth: Bool[np.ndarray, "y x"]) -> float:
    """Signed CNR on the union mask: (μ_in - μ_out) / √(σ²_in + σ²_out), population variances.

    Negative where the heat avoids the truth, which the field's |CNR| hides (arXiv 2204.09817, eq. 4, per box and
    absolute). 0 for a map without contrast; ±infinity where there is contrast and no variance at all. Not changed by
    scaling or shifting the heat.
    """
    if heat.min() == heat.max():
        # The rounding of two means of one value is no contrast.
        return 0.0
    inside, outside = heat[truth], heat[~truth]
    contrast = float(inside.mean() - outside.mean())
    noise = math.sqrt(float(inside.var() + outside.var()))
    if noise > 0:
        return contrast / noise
    return math.copysign(math.inf, contrast) if contrast else 0.0


CNR = Metric(
    "cnr",
    "signed contrast to noise, (μ_in - μ_out) / √(σ²_in + σ²_out), on the union of the truth",
    lambda c: contrast_to_noise(c.heat, c.truth),
    low=-math.inf,
    high=math.inf,
)
CNR_SMOOTHED = Metric(
    "cnr_smoothed",
    "as cnr, on the heat before the method's threshold (cut pixels are 0, which widens the spread inside)",
    lambda c: contrast_to_noise(before_threshold(c), c.truth),
    needs=("smoothed",),
    low=-math.inf,
    high=math.inf,
)
CNR_ABS = Metric(
    "cnr_abs",
    "|CNR|, for comparison with papers that print it; blind to maps that point away",
    lambda c: abs(contrast_to_noise(c.heat, c.truth)),
    high=math.inf,
)
