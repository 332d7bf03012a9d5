"""An image, and heat and boxes as layers that lie on it: pictures that a page carries within itself."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from io import BytesIO

import numpy as np
from jaxtyping import Float
from PIL import Image as Pillow
from PIL import ImageDraw

from deixis.radiology import GroundedReport
from deixis.types import Box, Grounding, Image
from deixis.writers import ramp

# Long side in pixels of an image within a page, and of a layer of heat, which has no edges that could blur.
IMAGE_SIDE, HEAT_SIDE = 1000, 320
# Colours apart from each other over grey and as a tint under text, also to the colour-blind (after Okabe and Ito's);
# a number beside each tells equal ones apart.
COLOURS = ("#56b4e9", "#f0a020", "#2fc9a0", "#ff7f6e", "#e8da3c", "#d98cd9", "#9bd14b", "#a99bff")


@dataclass(frozen=True)
class Layer:
    """What one grounding lays over the image.

    Args:
        number: counted from 1, in the order of the report.
        colour: of `COLOURS`, as ``#rrggbb``.
        grounding: what is shown.
    """

    number: int
    colour: str
    grounding: Grounding


def layers(groundings: Sequence[Grounding]) -> tuple[Layer, ...]:
    """A layer per grounding, each in the next colour."""
    return tuple(
        Layer(number, COLOURS[(number - 1) % len(COLOURS)], grounding)
        for number, grounding in enumerate(groundings, start=1)
    )


def data_uri(picture: Pillow.Image) -> str:
    """A picture as text that stands in a page, lossless."""
    buffer = BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def grey(image: Image, side: int = IMAGE_SIDE) -> Pillow.Image:
    """The image in 8-bit grey, no larger than `side`."""
    plane = Pillow.fromarray(np.rint(255 * np.clip(image.pixels, 0, 1)).astype(np.uint8))
    return _within(plane, side)


def coloured_heat(grounding: Grounding) -> Pillow.Image:
    """Heat in the ramp's colours, see-through where there is none."""
    heat = _heat(grounding)
    colours = ramp.ramp()[np.rint(heat * (ramp.STEPS - 1)).astype(np.intp)]
    return _see_through(colours, ramp.opacity(heat))


def tinted_heat(layer: Layer) -> Pillow.Image:
    """Heat in the layer's one colour, see-through where there is none."""
    heat = _heat(layer.grounding)
    colours = np.broadcast_to(np.array(rgb(layer.colour), np.uint8), (*heat.shape, 3))
    return _see_through(colours, ramp.opacity(heat))


def rgb(colour: str) -> tuple[int, int, int]:
    """``#rrggbb`` in numbers."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return red, green, blue


def svg_boxes(boxes: Sequence[Box], shape: tuple[int, int], colour: str) -> str:
    """Boxes as SVG elements in native pixels, dark under bright so that they show on any ground."""
    unit = max(shape) / 1000
    drawn = []
    for box in boxes:
        place = f'x="{box.x0:.1f}" y="{box.y0:.1f}" width="{box.x1 - box.x0:.1f}" height="{box.y1 - box.y0:.1f}"'
        drawn.append(f'<rect {place} fill="none" stroke="#080c12" stroke-width="{7 * unit:.2f}" opacity=".75"/>')
        drawn.append(f'<rect {place} fill="none" stroke="{colour}" stroke-width="{3.5 * unit:.2f}"/>')
    return "".join(drawn)


@dataclass(frozen=True)
class Chip:
    """A number at the upper left corner of a box, in native pixels."""

    number: int
    x: float
    y: float
    width: float
    height: float

    def hides(self, other: Chip) -> bool:
        """Whether the two would lie over each other."""
        return abs(self.x - other.x) < self.width and abs(self.y - other.y) < self.height

    def svg(self, colour: str) -> str:
        """The chip as SVG elements."""
        place = f'x="{self.x:.1f}" y="{self.y:.1f}" width="{self.width:.1f}" height="{self.height:.1f}"'
        middle = f'x="{self.x + self.width / 2:.1f}" y="{self.y + 0.76 * self.height:.1f}"'
        letters = f'font-size="{0.85 * self.height:.1f}" font-family="system-ui,sans-serif" font-weight="700"'
        return (
            f'<rect {place} fill="{colour}"/><text {middle} {letters} text-anchor="middle" fill="#080c12">'
            f"{self.number}</text>"
        )


def chips(shown: Sequence[Layer], shape: tuple[int, int]) -> tuple[Chip, ...]:
    """A chip per box of every layer, all inside the image; one that would hide another gives way to the right."""
    unit = max(shape) / 1000
    placed: list[Chip] = []
    for layer in shown:
        width, height = unit * (14 + 17 * len(str(layer.number))), 32 * unit
        for box in layer.grounding.boxes:
            y = box.y0 - height if box.y0 >= height else box.y0
            chip = Chip(layer.number, min(box.x0, shape[1] - width), y, width, height)
            while chip.x + 2 * width <= shape[1] and any(chip.hides(other) for other in placed):
                chip = replace(chip, x=chip.x + width)
            placed.append(chip)
    return tuple(placed)


def overview_png(report: GroundedReport) -> bytes:
    """The image with all layers of a report, as the bytes of a PNG."""
    page = grey(report.image).convert("RGBA")
    canvas = ImageDraw.Draw(page)
    ratio = page.width / report.image.shape[1]
    for layer in layers(report.groundings):
        page.alpha_composite(tinted_heat(layer).resize(page.size, Pillow.Resampling.BICUBIC))
    for layer in layers(report.groundings):
        for box in layer.grounding.boxes:
            corners = [round(ratio * side) for side in (box.x0, box.y0, box.x1, box.y1)]
            canvas.rectangle(corners, outline=layer.colour, width=3)
    buffer = BytesIO()
    page.convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()


def _heat(grounding: Grounding) -> Float[np.ndarray, "row column"]:
    """The heat from 0 to its largest as [0, 1], on a grid that suits a page; nothing where the model did not look."""
    heat = grounding.heat
    values = np.where(heat.seen, heat.values, 0).astype(np.float32)
    top = float(values.max())
    plane = Pillow.fromarray(np.clip(values / top, 0, 1) if top > 0 else np.zeros_like(values))
    return np.clip(np.asarray(_within(plane, HEAT_SIDE), np.float32), 0, 1)


def _see_through(colours: np.ndarray, opacity: Float[np.ndarray, "row column"]) -> Pillow.Image:
    alpha = np.rint(255 * opacity).astype(np.uint8)
    return Pillow.fromarray(np.dstack([colours, alpha]), "RGBA")


def _within(plane: Pillow.Image, side: int) -> Pillow.Image:
    """The plane made smaller until no side is longer than `side`."""
    ratio = side / max(plane.size)
    if ratio >= 1:
        return plane
    size = max(1, round(plane.width * ratio)), max(1, round(plane.height * ratio))
    return plane.resize(size, Pillow.Resampling.LANCZOS)
