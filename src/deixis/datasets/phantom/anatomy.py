"""The body that findings are drawn into: where its parts lie, and how much each absorbs.

Body coordinates: x from -1 (image left, the patient's right) to 1, y from -1 (top) to 1, after taking out the
patient's rotation, size and position. "Outward" is the distance from the midline towards a side.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy import ndimage

from deixis.datasets.phantom.fields import Plane, edge, texture

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
        base: y of the right and left dome; the right one is higher.
        rise: how steeply the domes fall towards the costophrenic angles.
        medial: outward distance of the lungs' inner border.
        heart: half its transverse diameter as a share of `width`, and how tall it is.
        knob: radius of the aortic knob.
        rotation: of the patient in the image, radians.
        scale: of the patient in the image.
        shift: of the patient in the image.
        soft: amount of soft tissue.
        ribs: how much the ribs absorb.
        contrast: of the film.
        bright: added to the film.
        noise: standard deviation of the film's noise.
        scatter: share of scattered radiation.
        pa: whether the beam came from behind.
        breast: amount of breast tissue.
    """

    width: float
    apex: float
    base: tuple[float, float]
    rise: float
    medial: float
    heart: tuple[float, float]
    knob: float
    rotation: float
    scale: float
    shift: tuple[float, float]
    soft: float
    ribs: float
    contrast: float
    bright: float
    noise: float
    scatter: float
    pa: bool
    breast: float

    @property
    def floor(self) -> float:
        """y of the lower dome."""
        return max(self.base)

    def height_of(self, y: float | Plane) -> float | Plane:
        """0 at the apices, 1 at the lower dome."""
        return (y - self.apex) / (self.floor - self.apex)


def draw_habitus(rng: np.random.Generator, *, enlarged: bool, style: Style) -> Habitus:
    """A patient; with `enlarged` the heart takes more than half of the chest's width."""
    pa = rng.random() < 0.6
    base = rng.uniform(0.36, 0.60)
    # Cardiothoracic ratio: normal below a half.
    ratio = rng.uniform(0.56, 0.70) if enlarged else rng.uniform(0.38, 0.49)
    patient = Habitus(
        width=rng.uniform(0.68, 0.80),
        apex=rng.uniform(-0.80, -0.68),
        base=(base - rng.uniform(0.02, 0.09), base),
        rise=rng.uniform(0.14, 0.26),
        medial=rng.uniform(0.11, 0.16),
        heart=(ratio, rng.uniform(0.9, 1.1)),
        knob=rng.uniform(0.09, 0.13),
        rotation=rng.normal(0, 0.025),
        scale=rng.uniform(0.98, 1.13),
        shift=(rng.normal(0, 0.025), 0.07 + rng.normal(0, 0.03)),
        soft=rng.uniform(0.8, 1.2),
        ribs=rng.uniform(0.6, 1.2),
        contrast=rng.uniform(0.85, 1.15),
        bright=rng.normal(0, 0.03),
        noise=rng.uniform(0.006, 0.02),
        scatter=rng.uniform(0.0, 0.12),
        pa=pa,
        breast=rng.uniform(0, 1) * (rng.random() < 0.5),
    )
    return replace(
        patient,
        width=patient.width * style.width,
        contrast=patient.contrast * style.contrast,
        bright=patient.bright + style.exposure,
        noise=patient.noise * style.noise,
    )


class Body:
    """A patient on a pixel grid: coordinates of every pixel and the soft shapes that findings refer to."""

    def __init__(self, habitus: Habitus, size: int) -> None:
        self.habitus, self.size = habitus, size
        along = (np.arange(size, dtype=np.float32) + 0.5) / size * 2 - 1
        cos, sin = np.cos(habitus.rotation), np.sin(habitus.rotation)
        gx, gy = along[None, :] - habitus.shift[0], along[:, None] - habitus.shift[1]
        self.x: Plane = ((cos * gx + sin * gy) / habitus.scale).astype(np.float32)
        self.y: Plane = ((-sin * gx + cos * gy) / habitus.scale).astype(np.float32)
        self.lung: dict[Side, Plane] = {side: self._lung(side) for side in SIDES}
        self.heart: Plane = self._heart()

    def outward(self, side: Side) -> Plane:
        """Distance from the midline towards `side`; negative beyond it."""
        return -self.x if side == "right" else self.x

    def lateral(self, y: Plane) -> Plane:
        """Outward distance of the inner chest wall at height y."""
        h = self.habitus
        down = np.clip((y - h.apex) / (h.floor + 0.25 - h.apex), 0, 1)
        bulge = 0.30 + 0.70 * np.sin(np.pi / 2 * np.minimum(1, down / 0.75)) ** 0.8
        return np.asarray(h.width * bulge * (down > 0))

    def medial(self, y: Plane) -> Plane:
        """Outward distance of the lung's inner border at height y."""
        return np.asarray(self.habitus.medial + 0.04 * np.cos(3 * y))

    def dome(self, side: Side, outward: Plane) -> Plane:
        """y of the diaphragm at an outward distance; it falls steeply into the costophrenic angle."""
        h = self.habitus
        u = (outward - 0.36) / 0.42
        top = h.base[SIDES.index(side)] - 0.06
        return np.asarray(top + h.rise * u * u + 0.25 * np.maximum(0, u - 0.45) ** 2)

    def wall(self, side: Side) -> Plane:
        """`lateral` minus the outward distance: positive inside the rib cage."""
        return np.asarray(self.lateral(self.y) - self.outward(side))

    def to_pixels(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Columns and rows of body coordinates, truncated to whole pixels."""
        h, half = self.habitus, self.size / 2
        cos, sin = np.cos(h.rotation), np.sin(h.rotation)
        columns = (cos * x - sin * y) * h.scale + h.shift[0]
        rows = (sin * x + cos * y) * h.scale + h.shift[1]
        return ((columns + 1) * half).astype(int), ((rows + 1) * half).astype(int)

    def _lung(self, side: Side) -> Plane:
        outward, soft = self.outward(side), 0.012
        top = self.habitus.apex + 0.55 * np.maximum(0, np.abs(outward - 0.30) - 0.02) ** 2 / 0.30
        return np.asarray(
            edge(self.wall(side), soft)
            * edge(outward - self.medial(self.y), soft)
            * edge(self.dome(side, outward) - self.y, soft)
            * edge(self.y - top, soft)
        )

    def _heart(self) -> Plane:
        """An egg whose apex points down and to the patient's left."""
        h = self.habitus
        half, tall = h.heart[0] * h.width, h.heart[1]
        y, tilt = self.y - (h.floor - 0.06 - 0.30 * tall), 0.25
        along = self.x * np.cos(tilt) + y * np.sin(tilt)
        across = -self.x * np.sin(tilt) + y * np.cos(tilt)
        reach = np.where(along > 0, half * 1.32, half * 0.68)
        rise = (0.36 * tall) * (0.8 + 0.45 * half / 0.4)
        return edge(1 - np.sqrt((along / reach) ** 2 + (across / rise) ** 2), 0.045)


def soft_tissue(body: Body, rng: np.random.Generator) -> Plane:
    """Attenuation of torso, mediastinum, heart, hila and breasts, the lungs' air already taken out."""
    h, x, y = body.habitus, body.x, body.y
    tone = texture(rng, body.size, 5)
    inside = outline(body)
    torso = _torso(body)
    rim = np.clip((torso - np.abs(x)) / 0.35, 0, 1) ** 0.5
    tissue = inside * (0.20 + 0.32 * rim * h.soft)
    tissue += 0.10 * edge(y - h.floor, 0.12) * inside
    tissue -= (body.lung["right"] + body.lung["left"]) * (0.31 + 0.015 * tone) * (1.0 if h.pa else 0.88)
    tissue += _mediastinum(body, rng)
    if h.breast > 0.3:
        for sign in (-1, 1):
            away = np.sqrt(((sign * x - 0.42) / 0.34) ** 2 + ((y - 0.22) / 0.34) ** 2)
            tissue += 0.05 * h.breast * edge(1 - away, 0.05) * edge(y - 0.05, 0.1)
    return np.asarray(tissue)


def outline(body: Body) -> Plane:
    """1 inside the torso and neck, 0 in the air around."""
    h, x, y = body.habitus, body.x, body.y
    lateral = np.maximum(0, np.abs(x) - 0.28) ** 1.3
    shoulder = h.apex - 0.02 + 0.42 * lateral - 0.9 * np.maximum(0, 0.28 - np.abs(x))
    torso = edge(_torso(body) - np.abs(x), 0.015) * edge(y - shoulder, 0.02)
    return np.maximum(torso, edge(0.25 - np.abs(x), 0.02))


def _torso(body: Body) -> Plane:
    """Outward distance of the skin."""
    return np.asarray(body.habitus.width + 0.15 + 0.03 * np.sin(2 * body.y) + 0.12 * edge(-0.42 - body.y, 0.06))


def _mediastinum(body: Body, rng: np.random.Generator) -> Plane:
    h, x, y = body.habitus, body.x, body.y
    core = edge(0.13 + 0.02 * np.sin(4 * y) - np.abs(x), 0.03) * edge(h.floor + 0.1 - y, 0.1)
    knob = edge(h.knob - np.sqrt((x - 0.10) ** 2 + ((y + 0.38) / 1.2) ** 2), 0.02)
    descending = edge(0.045 - np.abs(x - 0.12), 0.02) * edge(y + 0.35, 0.05) * edge(0.6 - y, 0.1)
    solid = np.maximum.reduce([0.165 * core, 0.225 * body.heart, 0.19 * knob, 0.12 * descending])
    hila = sum(np.exp(-(((sign * x - 0.19) / 0.085) ** 2 + ((y + 0.06) / 0.12) ** 2)) for sign in (-1, 1))
    return np.maximum(solid, 0.09 * hila * (1 + 0.3 * texture(rng, body.size, 24)))


def ribs(body: Body, rng: np.random.Generator) -> Plane:
    """Posterior ribs as arcs with brighter edges, crossed by the fainter anterior ones."""
    h = body.habitus
    gap, thick = rng.uniform(0.150, 0.168), rng.uniform(0.026, 0.034)
    away = np.abs(body.x)
    share = np.clip(away / (np.maximum(body.lateral(body.y), 0.25) + 0.05), 0, 1.1)
    cage = edge(1.02 - share, 0.02) * edge(away - 0.05, 0.02)
    fall = 0.10 + 0.024 * (body.y - h.apex) / gap
    arch = fall * (1 - (1 - np.clip(share, 0, 1)) ** 1.6) - 0.07 * np.sin(np.pi * np.clip(share, 0, 1))
    posterior = _nearest(body.y - h.apex + 0.08 - arch, gap) / thick
    bands = np.exp(-(posterior**4)) * (0.55 + 0.45 * np.exp(-(((posterior - 0.9) / 0.3) ** 2))) * cage
    anterior = _nearest(body.y - h.apex - 0.30 + 0.36 * share**1.2, gap * 1.12) / (thick * 1.15)
    bands += 0.5 * np.exp(-(anterior**4)) * cage * edge(share - 0.45, 0.06)
    return np.asarray(bands * h.ribs * edge(body.y - h.apex + 0.06, 0.03))


def _nearest(distance: Plane, gap: float) -> Plane:
    """Distance to the nearest of parallel lines `gap` apart."""
    phase = distance / gap
    return np.asarray(np.abs(phase - np.round(phase)) * gap)


def bones(body: Body, rng: np.random.Generator) -> Plane:
    """Clavicles, scapulae, shoulder joints and the vertebrae of the spine."""
    h, x, y = body.habitus, body.x, body.y
    total = np.zeros_like(x)
    for sign in (-1, 1):
        outward = sign * x
        clavicle = h.apex + 0.07 - 0.10 * (outward - 0.1) - 0.05 * np.sin(5 * outward)
        span = edge(outward - 0.07, 0.02) * edge(0.78 - outward, 0.03)
        total += 0.9 * np.exp(-((np.abs(y - clavicle) / 0.032) ** 4)) * span
        blade = ((outward - 0.80) / 0.16) ** 2 + ((y + 0.28 - 0.3 * (outward - 0.8)) / 0.36) ** 2
        total += 0.45 * edge(1 - blade, 0.12)
        joint = ((outward - 0.93) / 0.13) ** 2 + ((y + 0.62) / 0.14) ** 2
        total += 0.8 * edge(1 - joint, 0.1)
    vertebrae = 0.5 + 0.5 * np.cos(2 * np.pi * (y + rng.uniform(0, 1)) / 0.155)
    total += edge(0.095 - np.abs(x), 0.012) * (0.35 + 0.30 * np.sqrt(np.maximum(vertebrae, 0)))
    return total


def vessels(body: Body, rng: np.random.Generator) -> Plane:
    """Markings that branch from the hila and thin towards the periphery."""
    strands: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for sign in (-1, 1):
        hilum = sign * 0.17, -0.08 + (0.03 if sign < 0 else -0.02)
        for _ in range(22):
            strands.extend(_tree(rng, sign, hilum, body.size))
    x, y, calibre = (np.concatenate(part) for part in zip(*strands, strict=True))
    columns, rows = body.to_pixels(x, y)
    on = (columns >= 0) & (rows >= 0) & (columns < body.size) & (rows < body.size)
    canvas = np.zeros((body.size, body.size), np.float32)
    np.maximum.at(canvas, (rows[on], columns[on]), calibre[on])
    grain = body.size / 256
    thin = ndimage.gaussian_filter(canvas, 0.8 * grain) * 2.2
    thick = ndimage.gaussian_filter(canvas**2, 1.8 * grain) * 4.5
    return np.asarray(thin + thick)


def _tree(
    rng: np.random.Generator, sign: int, hilum: tuple[float, float], size: int
) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """One vessel and two branches of it, each as x, y and calibre along its course."""
    heading, length = rng.uniform(-np.pi * 0.48, np.pi * 0.48), rng.uniform(0.25, 0.62)
    steps = int(length * size * 0.7)
    along = np.linspace(0, 1, steps)
    course = heading + rng.normal(0, 0.6) * along
    x = hilum[0] + sign * np.cumsum(np.cos(course)) * length / steps
    y = hilum[1] + np.cumsum(np.sin(course)) * length / steps
    calibre = (1 - along) ** 1.1 * rng.uniform(0.5, 1.0)
    grown = [(x, y, calibre)]
    for _ in range(2):
        fork = rng.integers(steps // 5, max(steps // 5 + 1, int(steps * 0.8)))
        turn = course[fork] + rng.choice([-1, 1]) * rng.uniform(0.4, 0.9)
        shorter = np.linspace(0, 1, int(steps * 0.5))
        bend = turn + 0.3 * shorter
        branch_x = x[fork] + sign * np.cumsum(np.cos(bend)) * length / steps
        branch_y = y[fork] + np.cumsum(np.sin(bend)) * length / steps
        grown.append((branch_x, branch_y, calibre[fork] * 0.7 * (1 - shorter)))
    return grown
