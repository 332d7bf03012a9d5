"""How hot the truth is before any threshold: the score of the swapped-side control."""

from __future__ import annotations

from deixis.metrics.comparison import Comparison, Metric


def mean_inside(comparison: Comparison) -> float:
    """Mean over the truth of the heat before the method's threshold, in [0, 1].

    Compared between a phrase and the same phrase with left and right exchanged, it tells whether the map follows the
    words or only what is salient in the image.
    """
    if comparison.smoothed is None:
        raise ValueError("this method has no heat before a threshold")
    return float(comparison.smoothed[comparison.truth].mean())


INSIDE = Metric(
    "inside",
    "mean heat before the method's threshold, inside the truth",
    mean_inside,
    needs=("smoothed",),
)
