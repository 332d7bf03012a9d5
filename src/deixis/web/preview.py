"""Images and heat as plain numbers for the page's canvas, which draws them itself: one byte order, no container."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from jaxtyping import Shaped

from deixis.types import Grounding, Image

# Most numbers that are sent of an image, and of a heat map, which is smooth.
IMAGE_LIMIT, HEAT_LIMIT = 16_000_000, 1_500_000


@dataclass(frozen=True)
class Raster:
    """Numbers row by row, little-endian.

    Args:
        content: the numbers.
        shape: rows and columns that were sent.
        step: native pixels per number along a side.
    """

    content: bytes
    shape: tuple[int, int]
    step: int

    @property
    def headers(self) -> dict[str, str]:
        """What a client must know to draw it."""
        rows, columns = self.shape
        return {"Deixis-Shape": f"{rows},{columns}", "Deixis-Step": str(self.step)}


@dataclass(frozen=True)
class HeatRaster:
    """A heat map in bytes, and what belongs to it.

    Args:
        raster: 0 … 255 for heat 0 … 1.
        cut: the heat above which the recipe's mask lies; 1 where it is empty.
        seen: x0 y0 x1 y1 of what the model looked at, in native pixels.
    """

    raster: Raster
    cut: float
    seen: tuple[int, int, int, int]

    @property
    def headers(self) -> dict[str, str]:
        """What a client must know to draw it."""
        return {
            **self.raster.headers,
            "Deixis-Cut": f"{self.cut:.5f}",
            "Deixis-Seen": ",".join(map(str, self.seen)),
        }


def image_raster(image: Image) -> Raster:
    """Brightness in 16 bits, so that a narrow window still shows shades."""
    sampled, step = _sampled(image.pixels, IMAGE_LIMIT)
    return _raster(np.rint(sampled * 65535).astype("<u2"), step)


def heat_raster(grounding: Grounding) -> HeatRaster:
    """Heat in 8 bits; the exact numbers are in the npz."""
    heat, mask = grounding.heat, grounding.mask
    sampled, step = _sampled(heat.values, HEAT_LIMIT)
    cut = float(heat.values[mask].min()) if mask.any() else 1.0
    rows, columns = np.flatnonzero(heat.seen.any(1)), np.flatnonzero(heat.seen.any(0))
    seen = (0, 0, 0, 0) if not len(rows) else (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
    x0, y0, x1, y1 = (int(end) for end in seen)
    return HeatRaster(_raster(np.rint(np.clip(sampled, 0, 1) * 255).astype(np.uint8), step), cut, (x0, y0, x1, y1))


def _sampled(values: Shaped[np.ndarray, "y x"], limit: int) -> tuple[Shaped[np.ndarray, "row column"], int]:
    """Every so many-th number, so that at most `limit` remain."""
    step = next(
        step for step in range(1, sys.maxsize) if -(-len(values) // step) * -(-values.shape[1] // step) <= limit
    )
    return values[step // 2 :: step, step // 2 :: step] if step > 1 else values, step


def _raster(values: Shaped[np.ndarray, "row column"], step: int) -> Raster:
    rows, columns = values.shape
    return Raster(np.ascontiguousarray(values).tobytes(), (rows, columns), step)
