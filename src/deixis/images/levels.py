"""From stored numbers to [0, 1]: bit depths and colour."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Float32, Integer, Shaped

# Depths that detectors and scanners deliver; numbers in a wider container are scaled by the smallest that holds them.
DEPTHS = (8, 10, 12, 14, 16)
# ITU-R BT.601 luma, the weights of every common "convert to grey".
LUMA = (0.299, 0.587, 0.114)
# Channels that differ by no more than this are grey stored as colour (rounding of a lossy codec).
GREY_TOLERANCE = 2 / 255


def depth_of(top: int) -> int:
    """The bits that the numbers up to `top` use: the smallest of 8, 10, 12, 14, 16 that holds `top`, else 16."""
    return next((depth for depth in DEPTHS if top < 1 << depth), DEPTHS[-1])


def from_unsigned(values: Integer[np.ndarray, "*axes"], depth: int) -> Float32[np.ndarray, "*axes"]:
    """Numbers of `depth` bits over their full range: 0 → 0, 2^depth - 1 → 1."""
    return np.asarray(values / np.float32((1 << depth) - 1), np.float32)


def from_extremes(values: Shaped[np.ndarray, "y x"]) -> Float32[np.ndarray, "y x"]:
    """Minimum → 0, maximum → 1; a constant array → 0."""
    low, high = float(values.min()), float(values.max())
    span = high - low or 1.0
    return np.asarray(np.clip((values.astype(np.float64) - low) / span, 0, 1), np.float32)


def has_colour(rgb: Float32[np.ndarray, "y x 3"]) -> bool:
    """Whether the channels differ by more than a codec's rounding."""
    middle = rgb[..., 1]
    return any(bool((np.abs(rgb[..., channel] - middle) > GREY_TOLERANCE).any()) for channel in (0, 2))


def luma(rgb: Float32[np.ndarray, "y x 3"]) -> Float32[np.ndarray, "y x"]:
    """Colour in [0, 1] → grey in [0, 1]; where the channels agree, exactly their value."""
    red, green, blue = (rgb[..., channel] for channel in range(3))
    mixed = green + LUMA[0] * (red - green) + LUMA[2] * (blue - green)
    return np.asarray(np.clip(mixed, 0, 1), np.float32)


def middle_share(
    values: Float[np.ndarray, " level"], counts: Integer[np.ndarray, " level"], outside: float
) -> tuple[float, float]:
    """The range of `values` that is left when the share `outside` is cut off at either end.

    Each value occurs as often as `counts` says. Both ends are cut by the same rule, so negated values give the
    negated range; where it has no width, the range is that of all that occurs.
    """
    order = np.argsort(values)
    ordered, weights = values[order], counts[order]
    least = outside * weights.sum()
    low = ordered[np.argmax(np.cumsum(weights) > least)]
    high = ordered[::-1][np.argmax(np.cumsum(weights[::-1]) > least)]
    if low < high:
        return float(low), float(high)
    occurring: Bool[np.ndarray, " level"] = weights > 0
    return float(ordered[occurring].min()), float(ordered[occurring].max())
