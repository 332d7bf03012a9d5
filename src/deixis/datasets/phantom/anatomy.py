"""The body that findings are drawn into: where its parts lie, and how much each absorbs.

Body coordinates: x from -1 (image left, the patient's right) to 1, y from -1 (top) to 1, after taking out the
patient's rotation, size and position. "Outward" is the distance from the midline towards a side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from deixis.datasets.phantom.fields import Plane, edge

Side = Literal["right", "left"]
SIDES: tuple[Side, Side] = ("right", "left")


@dataclass(frozen=True)
class Style:
    """Knobs that move phantoms away from the training distribution; the defaults are that distribution.

    Args:
        exposure: added to the film's brightness.
        contrast: factor of the film's contrast.
        noise: factor of the quantum noise.
        width: factor of the chest's width (habitus).
        finding: factor of the findings' size.
    """

    exposure: float = 0.0
    contrast: float = 1.0
    noise: float = 1.0
    width: float = 1.0
    finding: float = 1.0


@dataclass(frozen=True)
class Habitus:
    """One patient and one exposure, lengths in body coordinates.

    Args:
        width: outward distance of the rib cage at its widest.
        apex: y of the lung apices.
        base: y of the top of the right and the left dome; the right one is higher.
        fall: how far the domes fall towards the costophrenic angles.
        medial: outward distance of the lungs' inner border.
        heart: half its transverse diameter as a share of `width`, and how long it is for its breadth.
        knob: radius of the aortic knob.
        turn: rotation of the patient in the image, radians.
        scale: of the patient in the image, along x and y.
        shift: of the patient in the image, along x and y.
        soft: amount of soft tissue.
        ribs: how much the ribs absorb.
        contrast: of the film.
        bright: added to the film.
        noise: standard deviation of the film's noise.
        scatter: share of scattered radiation.
        pa: whether the beam came from behind; then the arms are turned and the scapulae clear the lungs.
        breast: amount of breast tissue.
        arm: how far the arms stand off the chest.
    """

    width: float
    apex: float
    base: tuple[float, float]
    fall: float
    medial: float
    heart: tuple[float, float]
    knob: float
    turn: float
    scale: tuple[float, float]
    shift: tuple[float, float]
    soft: float
    ribs: float
    contrast: float
    bright: float
    noise: float
    scatter: float
    pa: bool
    breast: float
    arm: float

    @property
    def floor(self) -> float:
        """y of the top of the lower dome."""
        return max(self.base)

    @property
    def corner(self) -> float:
        """y of the costophrenic angles, about."""
        return self.floor + self.fall

    def height_of(self, y: float | Plane) -> float | Plane:
        """0 at the apices, 1 at the top of the lower dome."""
        return (y - self.apex) / (self.floor - self.apex)


def draw_habitus(rng: np.random.Generator, *, ratio: tuple[float, float], style: Style) -> Habitus:
    """A patient whose cardiothoracic ratio lies in the given range."""
    pa = bool(rng.random() < 0.6)
    base, size = rng.uniform(0.22, 0.46), rng.normal(1.0, 0.03)
    heart = rng.uniform(*ratio)
    return Habitus(
        width=rng.uniform(0.74, 0.85) * style.width,
        apex=rng.uniform(-0.82, -0.68),
        base=(base - rng.uniform(0.03, 0.10), base),
        fall=rng.uniform(0.13, 0.21),
        medial=rng.uniform(0.11, 0.15),
        heart=(heart, rng.uniform(0.84, 1.0)),
        knob=rng.uniform(0.075, 0.11),
        turn=rng.normal(0, 0.03),
        scale=(size * rng.normal(1.0, 0.025), size),
        shift=(rng.normal(0, 0.03), 0.02 + rng.normal(0, 0.03)),
        soft=rng.uniform(0.75, 1.25),
        ribs=rng.uniform(0.7, 1.25),
        contrast=rng.uniform(0.85, 1.2) * style.contrast,
        bright=rng.normal(0, 0.035) + style.exposure,
        noise=float(np.exp(rng.uniform(np.log(0.004), np.log(0.016)))) * style.noise,
        scatter=rng.uniform(0.0, 0.12) if pa else rng.uniform(0.05, 0.2),
        pa=pa,
        breast=rng.uniform(0.3, 1) * (rng.random() < 0.45),
        arm=rng.uniform(0.1, 0.5),
    )


class Body:
    """A patient on a pixel grid: coordinates of every pixel and the soft shapes that findings refer to.

    Args:
        habitus: the patient.
        size: side of the image in pixels.
    """

    def __init__(self, habitus: Habitus, size: int) -> None:
        self.habitus, self.size = habitus, size
        h = habitus
        along = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size) * 2 - 1
        cos, sin = np.float32(np.cos(h.turn)), np.float32(np.sin(h.turn))
        gx, gy = along[None, :] - np.float32(h.shift[0]), along[:, None] - np.float32(h.shift[1])
        self.x: Plane = (cos * gx + sin * gy) / np.float32(h.scale[0])
        self.y: Plane = (-sin * gx + cos * gy) / np.float32(h.scale[1])
        self.inner: Plane = self.lateral(self.y)
        self.core: Plane = self.medial(self.y)
        self.floor: dict[Side, Plane] = {side: self.dome(side, self.outward(side)) for side in SIDES}
        self.lung: dict[Side, Plane] = {side: self._lung(side) for side in SIDES}
        self.heart_depth: Plane = self._heart()
        self.heart: Plane = edge(self.heart_depth, 0.03)

    def outward(self, side: Side) -> Plane:
        """Distance from the midline towards `side`; negative beyond it."""
        return -self.x if side == "right" else self.x

    def lateral(self, y: Plane) -> Plane:
        """Outward distance of the inner chest wall at height y."""
        h = self.habitus
        down = np.clip((y - h.apex) / (h.corner - h.apex), 1e-6, 1)
        return np.asarray(h.width * np.sin(np.pi / 2 * down) ** np.float32(0.34))

    def medial(self, y: Plane) -> Plane:
        """Outward distance of the lung's inner border at height y; it leaves the midline towards the apex."""
        h = self.habitus
        down = np.maximum((y - h.apex) / (h.corner - h.apex), 0)
        return np.asarray(h.medial + 0.15 * np.exp(-down / 0.05) + 0.02 * np.cos(3 * y))

    def dome(self, side: Side, outward: Plane) -> Plane:
        """y of the diaphragm at an outward distance; it falls into the sharp costophrenic angle."""
        h = self.habitus
        away = (outward - 0.5 * h.width) / (0.5 * h.width)
        return np.asarray(h.base[SIDES.index(side)] + h.fall * away * away * np.where(away > 0, 1, np.float32(0.45)))

    def wall(self, side: Side) -> Plane:
        """`lateral` minus the outward distance: positive inside the rib cage."""
        return np.asarray(self.inner - self.outward(side))

    def depth_in_heart(self, x: float, y: float) -> float:
        """1 at the heart's centre, 0 on its outline, negative outside; 0 for places outside the image."""
        columns, rows = self.to_pixels(np.array(x), np.array(y))
        inside = 0 <= int(columns) < self.size and 0 <= int(rows) < self.size
        return float(self.heart_depth[int(rows), int(columns)]) if inside else 0.0

    def to_pixels(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Columns and rows of body coordinates, truncated to whole pixels."""
        h, half = self.habitus, self.size / 2
        cos, sin = np.cos(h.turn), np.sin(h.turn)
        wide, tall = x * h.scale[0], y * h.scale[1]
        columns, rows = cos * wide - sin * tall + h.shift[0], sin * wide + cos * tall + h.shift[1]
        return ((columns + 1) * half).astype(int), ((rows + 1) * half).astype(int)

    def _lung(self, side: Side) -> Plane:
        outward = self.outward(side)
        depth = np.minimum(self.wall(side), outward - self.core)
        return edge(np.minimum(depth, self.floor[side] - self.y), 0.008)

    def _heart(self) -> Plane:
        """Depth inside the heart: 1 at its centre, 0 on its outline; its apex points down and to the left.

        Two half-ellipses on one slanting axis; their half-lengths follow from how far the heart reaches to either
        side of the midline, so that the cardiothoracic ratio is the habitus's.
        """
        h = self.habitus
        half, slant = h.heart[0] * h.width, 0.50 - 0.6 * max(0, h.heart[0] - 0.45)
        broad = (0.15 + 0.38 * half) * h.heart[1]
        cos, sin = float(np.cos(slant)), float(np.sin(slant))
        left, right = (float(np.sqrt((share * half) ** 2 - (broad * sin) ** 2)) / cos for share in (1.32, 0.68))
        below = float(np.hypot(left * sin, broad * cos))
        y = self.y - (h.base[1] + 0.05 - below)
        along, across = self.x * cos + y * sin, y * cos - self.x * sin
        reach = np.where(along > 0, np.float32(1 / left), np.float32(1 / right))
        return np.asarray(1 - np.sqrt((along * reach) ** 2 + (across * np.float32(1 / broad)) ** 2))
