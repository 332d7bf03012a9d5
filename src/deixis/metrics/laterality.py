"""Whether the heat lies on the side that the phrase names."""

from __future__ import annotations

from deixis.metrics.comparison import Comparison, Metric


def on_named_side(comparison: Comparison) -> float:
    """1 where most of the heat lies in the image's half of the named side, else 0; ½ where there is no heat at all.

    Frontal radiographs show the patient's left on the image's right.
    """
    if comparison.side is None:
        raise ValueError("this phrase names no side")
    half = comparison.heat.shape[1] / 2
    left, right = comparison.heat[:, : int(half)].sum(), comparison.heat[:, -int(half) :].sum()
    if left == right:
        return 0.5
    return float((right > left) == (comparison.side == "left"))


LATERALITY = Metric("laterality", "most heat in the half of the named side", on_named_side, needs=("side",))
