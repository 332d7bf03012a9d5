"""The colours of heat: dark violet over red and amber to pale yellow.

Lightness rises evenly from end to end, so more heat never looks like less, in grey print and to the colour-blind too.
Few points in OKLCH, joined in OKLab, in which equal distances look equal (https://bottosson.github.io/posts/oklab/,
whence also the two matrices).
"""

from __future__ import annotations

from functools import cache

import numpy as np
from jaxtyping import Float, Float64, UInt8

# Lightness, chroma and hue in degrees, evenly spaced along the ramp.
POINTS = np.array(
    [
        (0.280, 0.120, 300.0),
        (0.445, 0.175, 340.0),
        (0.610, 0.200, 24.0),
        (0.775, 0.160, 64.0),
        (0.940, 0.110, 104.0),
    ]
)
TO_LMS = np.array(
    [
        (1.0, 0.3963377774, 0.2158037573),
        (1.0, -0.1055613458, -0.0638541728),
        (1.0, -0.0894841775, -1.2914855480),
    ]
)
TO_LINEAR_RGB = np.array(
    [
        (4.0767416621, -3.3077115913, 0.2309699292),
        (-1.2684380046, 2.6097574011, -0.3413193965),
        (-0.0041960863, -0.7034186147, 1.7076147010),
    ]
)
STEPS = 256
# How much of the image the hottest colour hides, and the heat at which it begins to hide any.
OPAQUE = 0.84
CLEAR_BELOW = 0.12


@cache
def ramp() -> UInt8[np.ndarray, "step 3"]:
    """256 colours in sRGB from the least heat to the most."""
    angle = np.radians(POINTS[:, 2])
    corners = np.stack([POINTS[:, 0], POINTS[:, 1] * np.cos(angle), POINTS[:, 1] * np.sin(angle)], 1)
    at = np.linspace(0, len(POINTS) - 1, STEPS)
    lab = np.stack([np.interp(at, np.arange(len(POINTS)), corners[:, axis]) for axis in range(3)], 1)
    colours: UInt8[np.ndarray, "step 3"] = np.rint(255 * _srgb(lab)).astype(np.uint8)
    colours.flags.writeable = False
    return colours


def _srgb(lab: Float64[np.ndarray, "step 3"]) -> Float64[np.ndarray, "step 3"]:
    linear = np.clip(((lab @ TO_LMS.T) ** 3) @ TO_LINEAR_RGB.T, 0, 1)
    return np.asarray(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055))


def opacity(heat: Float[np.ndarray, "*axes"]) -> Float[np.ndarray, "*axes"]:
    """How much heat in [0, 1] hides of the image under it: nothing where there is none, rising smoothly."""
    rising = np.clip((heat - CLEAR_BELOW) / (0.75 - CLEAR_BELOW), 0, 1)
    return np.asarray(OPAQUE * rising * rising * (3 - 2 * rising))


def over(grey: Float[np.ndarray, "y x"], heat: Float[np.ndarray, "y x"]) -> Float[np.ndarray, "y x 3"]:
    """Heat in [0, 1] laid over grey in [0, 1]; sRGB in [0, 255]."""
    hidden = opacity(heat)[..., None]
    colour = ramp()[np.rint(heat * (STEPS - 1)).astype(np.intp)]
    return np.asarray((1 - hidden) * 255 * grey[..., None] + hidden * colour)
