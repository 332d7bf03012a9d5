"""Decoded images, small to send: as the whole numbers that they came from, where these give the same floats."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Shaped

from deixis.types import Image


@dataclass(frozen=True)
class Packed:
    """An image whose pixels are of the smallest kind that loses nothing: a quarter or half of their size as floats.

    Args:
        image: all of it but the pixels, of which one stands for all.
        pixels: as uint8, uint16 or float32.
    """

    image: Image
    pixels: Shaped[np.ndarray, "y x"]

    @classmethod
    def of(cls, image: Image) -> Packed:
        """Packed, and proven to come out the same to the last bit."""
        small = replace(image, pixels=image.pixels[:1, :1])
        for kind in (np.uint8, np.uint16):
            whole = np.rint(image.pixels * np.float32(np.iinfo(kind).max)).astype(kind)
            if np.array_equal(_floats(whole), image.pixels):
                return cls(small, whole)
        return cls(small, image.pixels)

    def unpacked(self) -> Image:
        """The image as it was."""
        return replace(self.image, pixels=_floats(self.pixels))


def _floats(pixels: Shaped[np.ndarray, "y x"]) -> Shaped[np.ndarray, "y x"]:
    if pixels.dtype == np.float32:
        return pixels
    return pixels.astype(np.float32) / np.float32(np.iinfo(pixels.dtype).max)
