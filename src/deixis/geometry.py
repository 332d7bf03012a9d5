"""Placement: how native pixels and the model's square relate, both ways.

Everything that resizes stands here. Coordinates are continuous and half-open, so a pixel i covers [i, i + 1) and its
centre is i + ½; the map between the frames is ``model = native · scale - offset`` along each axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Float32

from deixis.types import Box, HeatMap

Fit = Literal["crop", "pad"]
Interpolation = Literal["nearest", "linear"]


@dataclass(frozen=True)
class Placement:
    """An invertible scale + crop or pad between an image and the model's frame.

    Args:
        native: height and width of the image.
        model: height and width of the model's frame.
        scale: model pixels per native pixel along y and x.
        offset: what is cut off before the model's frame begins, in model pixels along y and x; negative for a pad.
    """

    native: tuple[int, int]
    model: tuple[int, int]
    scale: tuple[float, float]
    offset: tuple[float, float]

    @classmethod
    def fitting(cls, native: tuple[int, int], model: tuple[int, int], fit: Fit = "crop") -> Placement:
        """Place an image of shape `native` into the frame `model`.

        "crop" brings the shorter side to the frame and cuts the longer one symmetrically (arXiv 2404.12920, the
        published preprocessing); "pad" shows the whole image between black borders.
        """
        ratios = [m / n for m, n in zip(model, native, strict=True)]
        ratio = max(ratios) if fit == "crop" else min(ratios)
        resized = [max(1, round(n * ratio)) for n in native]
        scale = (resized[0] / native[0], resized[1] / native[1])
        margins = [r - m for r, m in zip(resized, model, strict=True)]
        # An odd margin leaves its extra row at the end, as the published centre crop does.
        offset = (float(margins[0] // 2), float(margins[1] // 2))
        return cls(native, model, scale, offset)

    def to_model(self, pixels: Float32[np.ndarray, "y x"], *, antialias: bool = True) -> Float32[np.ndarray, "row col"]:
        """The image in the model's frame, bilinear, 0 outside it.

        Without `antialias` a shrunk image is sampled at points, as the published code does.
        """
        self._check(pixels, self.native)
        rows, cols = (self._centres(axis) for axis in (0, 1))
        blur = 1.0 / np.array(self.scale) if antialias else np.ones(2)
        weights_y = _weights(rows, self.native[0], max(1.0, float(blur[0])))
        weights_x = _weights(cols, self.native[1], max(1.0, float(blur[1])))
        return np.asarray(weights_y @ pixels @ weights_x.T, dtype=np.float32)

    def to_native(self, values: Float[np.ndarray, "row col"], *, order: Interpolation = "linear") -> HeatMap:
        """A map of the model's frame in native pixels; what lies outside the frame is 0 and not seen."""
        self._check(values, self.model)
        ys, xs = ((np.arange(n) + 0.5) * s - o for n, s, o in zip(self.native, self.scale, self.offset, strict=True))
        seen = _inside(ys, self.model[0])[:, None] & _inside(xs, self.model[1])[None, :]
        if order == "nearest":
            picked = values[_cell(ys, self.model[0])[:, None], _cell(xs, self.model[1])[None, :]]
        else:
            picked = _between(_between(values, ys, 0), xs, 1)
        return HeatMap(np.where(seen, picked, 0.0).astype(np.float32), seen)

    def mask_to_native(self, mask: Bool[np.ndarray, "row col"]) -> Bool[np.ndarray, "y x"]:
        """A mask of the model's frame in native pixels, False outside it."""
        return self.to_native(mask.astype(np.float32), order="nearest").values > 0.5

    def box_to_model(self, box: Box) -> Box:
        """The box in the model's frame; may leave that frame."""
        (sy, sx), (oy, ox) = self.scale, self.offset
        return Box(box.x0 * sx - ox, box.y0 * sy - oy, box.x1 * sx - ox, box.y1 * sy - oy, box.score)

    def box_to_native(self, box: Box) -> Box:
        """The box in native pixels, exact inverse of `box_to_model`."""
        (sy, sx), (oy, ox) = self.scale, self.offset
        return Box((box.x0 + ox) / sx, (box.y0 + oy) / sy, (box.x1 + ox) / sx, (box.y1 + oy) / sy, box.score)

    def _centres(self, axis: int) -> Float[np.ndarray, " n"]:
        """Native coordinates of the model's pixel centres along an axis."""
        return (np.arange(self.model[axis]) + 0.5 + self.offset[axis]) / self.scale[axis]

    @staticmethod
    def _check(values: Float[np.ndarray, "y x"], shape: tuple[int, int]) -> None:
        if values.shape != shape:
            raise ValueError(f"expected an array of shape {shape}, got {values.shape}")


def resized(
    values: Float[np.ndarray, "y x"], shape: tuple[int, int], *, order: Interpolation = "linear"
) -> Float[np.ndarray, "row col"]:
    """`values` stretched to `shape`, pixel edges aligned (torch's ``align_corners=False``), no antialiasing."""
    ys, xs = ((np.arange(m) + 0.5) * (n / m) for m, n in zip(shape, values.shape, strict=True))
    if order == "nearest":
        return np.asarray(values[_cell(ys, values.shape[0])[:, None], _cell(xs, values.shape[1])[None, :]])
    return _between(_between(values, ys, 0), xs, 1)


def _between(values: Float[np.ndarray, "a b"], centres: Float[np.ndarray, " n"], axis: int) -> Float[np.ndarray, "c d"]:
    """Linear interpolation along an axis at the given coordinates, the border held."""
    size = values.shape[axis]
    place = np.clip(centres, 0.5, size - 0.5) - 0.5
    lower = np.minimum(place.astype(np.intp), max(size - 2, 0))
    share = (place - lower).astype(values.dtype)
    share = share[:, None] if axis == 0 else share[None, :]
    low, high = values.take(lower, axis), values.take(np.minimum(lower + 1, size - 1), axis)
    return low + share * (high - low)


def _weights(centres: Float[np.ndarray, " n"], size: int, width: float) -> Float[np.ndarray, "n size"]:
    """Triangle weights of half-width `width` around each centre, rows summing to 1; 0 where the centre is outside.

    Width 1 is plain bilinear interpolation with the border held, as `_between` does it faster.
    """
    inside = _inside(centres, size)
    held = np.clip(centres, 0.5, size - 0.5) if width == 1.0 else np.clip(centres, 0.0, float(size))
    distance = np.abs(held[:, None] - (np.arange(size) + 0.5)[None, :])
    weights = np.maximum(0.0, 1.0 - distance / width)
    total = weights.sum(1, keepdims=True)
    return np.where(inside[:, None], weights / np.where(total > 0, total, 1.0), 0.0)


def _inside(centres: Float[np.ndarray, " n"], size: int) -> Bool[np.ndarray, " n"]:
    return (centres >= 0) & (centres < size)


def _cell(centres: Float[np.ndarray, " n"], size: int) -> np.ndarray:
    return np.asarray(np.clip(np.floor(centres).astype(int), 0, size - 1))
