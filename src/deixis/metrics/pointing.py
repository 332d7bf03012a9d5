"""The pointing game: does the hottest pixel lie in the truth?"""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from scipy.ndimage import distance_transform_edt

from deixis.metrics.comparison import Metric

TOLERANCE = 15.0  # pixels; Zhang et al., Top-down neural attention by excitation backprop, ECCV 2016


def pointing_game(heat: Float[np.ndarray, "y x"], truth: Bool[np.ndarray, "y x"], tolerance: float = 0.0) -> float:
    """Share of the tied maxima of the heat that lie in the truth, or within `tolerance` pixels of it.

    1 or 0 for a single peak. Sharing among ties makes the answer independent of the order of pixels: a constant map
    scores the truth's share of the image. Only the order of heat values matters.
    """
    peaks = heat == heat.max()
    if tolerance > 0 and not truth[peaks].all():
        truth = distance_transform_edt(~truth) <= tolerance
    return float(truth[peaks].mean())


POINTING = Metric(
    "pointing",
    "1 if the hottest pixel lies in the truth, tied maxima sharing",
    lambda c: pointing_game(c.heat, c.truth),
)
POINTING_TOLERANT = Metric(
    "pointing15",
    "as pointing, within 15 pixels of the truth",
    lambda c: pointing_game(c.heat, c.truth, TOLERANCE),
)
