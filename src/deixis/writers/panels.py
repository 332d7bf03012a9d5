"""The two panels of an overlay: the image with its boxes, and the image under the heat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.ndimage
from jaxtyping import Bool, Float, Float32
from PIL import Image as Pillow
from PIL import ImageDraw

from deixis.types import Box, Grounding
from deixis.writers import ramp
from deixis.writers.lettering import Colour, font

# Long side of a panel in pixels: crisp on a screen, two panels beside each other on a page.
SIDE = 640
ANSWER: Colour = (102, 217, 255)
DARK: Colour = (8, 12, 18)
CHIP = 15
# The veil over what the model never saw: how dark, and the distance of its diagonal lines in pixels.
VEIL = 0.42
HATCH = 11.0
# σ in pixels that rounds the stairs of a mask made on the model's coarser grid.
SOFT = 2.4


@dataclass(frozen=True)
class Panels:
    """Both panels of one grounding, of one size.

    Args:
        boxes: the image with its boxes.
        heat: the image under the heat, the mask outlined.
        low: heat at the lower end of the colours.
        high: heat at their upper end.
    """

    boxes: Pillow.Image
    heat: Pillow.Image
    low: float
    high: float


def panels(grounding: Grounding) -> Panels:
    """Draw both panels; the image keeps its proportions."""
    shape = grounding.image.shape
    ratio = SIDE / max(shape)
    size = max(1, round(shape[0] * ratio)), max(1, round(shape[1] * ratio))
    grey = np.clip(_scaled(grounding.image.pixels, size), 0, 1)
    unseen = ~_nearest(grounding.heat.seen, size)
    low, high = _range(grounding)
    heat = np.clip((_scaled(grounding.heat.values, size) - low) / (high - low), 0, 1)
    left = _picture(_veiled(255 * np.repeat(grey[..., None], 3, -1), unseen))
    _draw_boxes(left, grounding.boxes, ratio)
    coloured = _veiled(ramp.over(grey, np.where(unseen, 0, heat)), unseen)
    right = _picture(_outlined(coloured, _scaled(grounding.mask.astype(np.float32), size)))
    return Panels(left, right, low, high)


def _range(grounding: Grounding) -> tuple[float, float]:
    """The heat at either end of the colours: from 0, or less, to the largest."""
    values = grounding.heat.values
    low, high = min(0.0, float(values.min())), float(values.max())
    return low, high if high > low else low + 1.0


def _scaled(values: Float32[np.ndarray, "y x"], size: tuple[int, int]) -> Float32[np.ndarray, "row column"]:
    """`values` at `size`, smooth both ways."""
    smooth = Pillow.Resampling.BICUBIC if size[0] >= values.shape[0] else Pillow.Resampling.LANCZOS
    plane = Pillow.fromarray(np.ascontiguousarray(values, np.float32))
    return np.asarray(plane.resize((size[1], size[0]), smooth))


def _nearest(mask: Bool[np.ndarray, "y x"], size: tuple[int, int]) -> Bool[np.ndarray, "row column"]:
    """A mask at `size`, its straight edges kept."""
    rows, columns = ((np.arange(n) * m // n) for n, m in zip(size, mask.shape, strict=True))
    return np.asarray(mask[rows[:, None], columns[None, :]])


def _veiled(
    rgb: Float[np.ndarray, "row column 3"], unseen: Bool[np.ndarray, "row column"]
) -> Float[np.ndarray, "row column 3"]:
    """What the model never saw, darkened and hatched."""
    if not unseen.any():
        return rgb
    rows, columns = np.indices(unseen.shape)
    across = np.abs(((rows + columns) / np.sqrt(2)) % HATCH - HATCH / 2)
    line = 0.30 * np.clip(1.1 - across, 0, 1)[..., None]
    veiled = (1 - line) * VEIL * rgb + line * 220
    return np.where(unseen[..., None], veiled, rgb)


def _outlined(
    rgb: Float[np.ndarray, "row column 3"], mask: Float32[np.ndarray, "row column"]
) -> Float[np.ndarray, "row column 3"]:
    """The mask's border as a bright line with a dark one on either side, so that it shows on any ground."""
    soft = scipy.ndimage.gaussian_filter(mask, SOFT)
    # Across a straight border the softened mask falls as an error function, here by its slope there.
    distance = np.abs(soft - 0.5) * SOFT * np.sqrt(2 * np.pi)
    for colour, reach in ((DARK, 2.6), (ANSWER, 1.6)):
        share = np.clip(reach - distance, 0, 1)[..., None]
        rgb = (1 - share) * rgb + share * np.array(colour)
    return rgb


def _picture(rgb: Float[np.ndarray, "row column 3"]) -> Pillow.Image:
    return Pillow.fromarray(np.rint(np.clip(rgb, 0, 255)).astype(np.uint8))


def _draw_boxes(picture: Pillow.Image, boxes: tuple[Box, ...], ratio: float) -> None:
    """Boxes with their scores, the best on top."""
    canvas = ImageDraw.Draw(picture)
    for box in reversed(boxes):
        left, top = round(box.x0 * ratio), round(box.y0 * ratio)
        right, bottom = max(left + 3, round(box.x1 * ratio) - 1), max(top + 3, round(box.y1 * ratio) - 1)
        canvas.rectangle((left - 1, top - 1, right + 1, bottom + 1), outline=DARK, width=5)
        canvas.rectangle((left, top, right, bottom), outline=ANSWER, width=3)
        _draw_chip(canvas, f"{box.score:.2f}", (left, top, right), picture.size)


def _draw_chip(canvas: ImageDraw.ImageDraw, text: str, edge: tuple[int, int, int], size: tuple[int, int]) -> None:
    """The score on the box's upper edge, inside the picture."""
    left, top, _ = edge
    width, height = round(font(CHIP).getlength(text)) + 12, CHIP + 8
    x = min(max(left - 1, 0), max(0, size[0] - width))
    y = top - height if top >= height else top + 3
    canvas.rectangle((x - 1, y - 1, x + width, y + height), fill=DARK)
    canvas.rectangle((x, y, x + width - 1, y + height - 1), fill=ANSWER)
    canvas.text((x + width / 2, y + height / 2), text, DARK, font(CHIP), anchor="mm")
