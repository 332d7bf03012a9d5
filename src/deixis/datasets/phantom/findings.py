"""The findings, one function each: what it adds to the attenuation, where it is, and in which zone.

Every function takes the body, a random generator and a degree, and gives a `Drawn`. The table `ONE_SIDED` names
those that lie on one side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool
from scipy import ndimage

from deixis.datasets.phantom.anatomy import SIDES, Body, Side
from deixis.datasets.phantom.fields import Plane, bell, bump, edge, texture

Severity = Literal["small", "moderate", "large"]
SEVERITIES: tuple[Severity, Severity, Severity] = ("small", "moderate", "large")

# Depth in the heart's shadow, 1 at its centre, from which a place is called retrocardiac.
BEHIND_HEART = 0.12
# How often an effusion that is not large hides under the lung.
SUBPULMONIC = 0.15
# Radius of a parenchymal finding in body coordinates.
RADIUS: Mapping[Severity, tuple[float, float]] = {
    "small": (0.095, 0.15), "moderate": (0.15, 0.24), "large": (0.24, 0.40)
}  # fmt: skip


@dataclass(frozen=True)
class Drawn:
    """A finding as it was painted.

    Args:
        density: added to the attenuation.
        mask: the abnormal region.
        zone: where it lies, in the words' normal form, or None where no zone describes it.
        gas: 1 where lung markings are gone; None for findings that keep them.
    """

    density: Plane
    mask: Bool[np.ndarray, "y x"]
    zone: str | None
    gas: Plane | None = None


@dataclass(frozen=True)
class Spot:
    """A place in a lung: outward distance, height, size and the zone it lies in."""

    outward: float
    y: float
    radius: float
    zone: str


def spot(body: Body, rng: np.random.Generator, side: Side, radius: float) -> Spot:
    """Anywhere in the lung of that side; the words that name the place follow from it."""
    h = body.habitus
    for _ in range(40):
        y = rng.uniform(h.apex + 0.10, h.floor + 0.02)
        inner = float(body.medial(np.asarray(y))) + 0.3 * radius
        outer = float(body.lateral(np.asarray(y))) - 0.35 * radius
        if outer <= inner:
            continue
        outward = rng.uniform(inner, outer)
        if y < float(body.dome(side, np.asarray(outward))) - 0.2 * radius:
            break
    if side == "left" and body.depth_in_heart(outward, y) > BEHIND_HEART:
        return Spot(outward, y, radius, "retrocardiac")
    return Spot(outward, y, radius, _zone(rng, float(h.height_of(y)), outward))


def _zone(rng: np.random.Generator, height: float, outward: float) -> str:
    if height < 0.18:
        return "apical"
    if height < 0.38:
        return "upper"
    if height < 0.66:
        return "perihilar" if outward < 0.28 and rng.random() < 0.8 else "middle"
    return "lower" if height < 0.86 else "basal"


def _blob(body: Body, rng: np.random.Generator, side: Side, at: Spot, roughness: float) -> Plane:
    """An irregular patch: 1 at its centre, 0 at its edge, negative outside."""
    stretch = math.exp(rng.normal(0, 0.28))
    turn = rng.uniform(0, np.pi)
    dx, dy = body.outward(side) - at.outward, body.y - at.y
    u, v = dx * math.cos(turn) + dy * math.sin(turn), -dx * math.sin(turn) + dy * math.cos(turn)
    away = np.sqrt((u / (at.radius * math.sqrt(stretch))) ** 2 + (v / (at.radius / math.sqrt(stretch))) ** 2)
    return np.asarray(1 - away + roughness * texture(rng, body.size, int(rng.integers(7, 12))))


def consolidation(body: Body, rng: np.random.Generator, side: Side, severity: Severity, size: float) -> Drawn:
    """Dense, well-edged, with dark air bronchograms that fan out from the hilar side."""
    at = spot(body, rng, side, rng.uniform(*RADIUS[severity]) * size)
    filled = edge(_blob(body, rng, side, at, 0.22), 0.06) * body.lung[side]
    density = 0.33 * rng.uniform(0.85, 1.15) * filled
    heading = math.atan2(at.y + 0.08, at.outward - 0.15)
    dx = body.outward(side) - (at.outward - 0.75 * at.radius * math.cos(heading))
    dy = body.y - (at.y - 0.75 * at.radius * math.sin(heading))
    for _ in range(int(rng.integers(3, 6))):
        angle = heading + rng.normal(0, 0.45)
        along, across = dx * math.cos(angle) + dy * math.sin(angle), -dx * math.sin(angle) + dy * math.cos(angle)
        across = across - 0.25 * along**2 * rng.normal(0, 1.5)
        bronchus = bell(across, 0.010 + 0.010 * rng.random()) * edge(along, 0.02) * edge(1.35 * at.radius - along, 0.03)
        density = density - 0.12 * bronchus * filled
    return Drawn(density, filled > 0.5, at.zone)


def pneumonia(body: Body, rng: np.random.Generator, side: Side, severity: Severity, size: float) -> Drawn:
    """Many patches of different density within one region."""
    at = spot(body, rng, side, rng.uniform(*RADIUS[severity]) * size)
    at = Spot(at.outward, at.y, at.radius * 1.15, at.zone)
    region = _blob(body, rng, side, at, 0.22)
    patches = edge(texture(rng, body.size, int(rng.integers(15, 28))) + 0.35, 0.22)
    density = 0.34 * rng.uniform(0.85, 1.15) * edge(region, 0.10) * body.lung[side] * (0.22 + 0.78 * patches)
    return Drawn(density, (region > 0.02) & (body.lung[side] > 0.5), at.zone)


def lung_opacity(body: Body, rng: np.random.Generator, side: Side, severity: Severity, size: float) -> Drawn:
    """A soft haze without inner structure, densest in the middle."""
    at = spot(body, rng, side, rng.uniform(*RADIUS[severity]) * size)
    at = Spot(at.outward, at.y, at.radius * 1.1, at.zone)
    region = _blob(body, rng, side, at, 0.16)
    haze = np.clip(region + 0.25, 0, 1) * body.lung[side]
    density = 0.25 * rng.uniform(0.85, 1.15) * np.minimum(1, 1.3 * haze)
    return Drawn(density, (region > 0.0) & (body.lung[side] > 0.5), at.zone)


def atelectasis(body: Body, rng: np.random.Generator, side: Side, severity: Severity, size: float) -> Drawn:
    """One to three plate-like bands, oblique or nearly level."""
    bands = SEVERITIES.index(severity) + 1
    length = (0.16, 0.22, 0.28)[bands - 1] * rng.uniform(0.85, 1.2) * size
    at = spot(body, rng, side, 0.16)
    slope = rng.normal(0, 0.35) + (0.25 if rng.random() < 0.5 else -0.25)
    density, mask = np.zeros_like(body.x), np.zeros(body.x.shape, bool)
    for band in range(bands):
        offset = (band - (bands - 1) / 2) * rng.uniform(0.07, 0.10)
        dx, dy = body.outward(side) - at.outward - rng.normal(0, 0.02), body.y - at.y - offset
        angle = slope + rng.normal(0, 0.08)
        along = dx * math.cos(angle) + dy * math.sin(angle)
        across = -dx * math.sin(angle) + dy * math.cos(angle) + 0.3 * dx**2
        plate = bump(across, rng.uniform(0.017, 0.032)) * edge(length - np.abs(along), 0.02)
        density = np.maximum(density, 0.24 * plate)
        mask |= plate > 0.35
    mask = ndimage.binary_dilation(mask, iterations=max(1, body.size // 128)) & (body.lung[side] > 0.4)
    return Drawn(density * body.lung[side], mask, at.zone)


def effusion(body: Body, rng: np.random.Generator, side: Side, severity: Severity, size: float) -> Drawn:
    """Fluid that fills the costophrenic angle and rises towards the wall, or lies flat under the lung."""
    ranges = {"small": (0.15, 0.25), "moderate": (0.25, 0.48), "large": (0.48, 0.95)}
    height = rng.uniform(*ranges[severity]) * size
    outward, floor = body.outward(side), body.floor[side]
    across = np.clip((outward - body.core) / np.maximum(body.inner - body.core, 0.05), 0, 1)
    if severity != "large" and rng.random() < SUBPULMONIC:
        surface = floor - 0.75 * height * np.exp(-np.square((across - rng.uniform(0.6, 0.9)) / rng.uniform(0.4, 0.6)))
    else:
        corner = float(body.dome(side, np.asarray(0.97 * body.habitus.width)))
        drop = height * (rng.uniform(0.1, 0.45) if severity == "large" else rng.uniform(0.4, 1.2))
        surface = corner - height + drop * (1 - across) ** np.float32(rng.uniform(0.45, 0.95))
    fluid = edge(body.y - surface - 0.008 * texture(rng, body.size, 6), rng.uniform(0.008, 0.02))
    region = fluid * edge(np.minimum(body.wall(side), outward - body.core), 0.008) * edge(floor + 0.02 - body.y, 0.01)
    return Drawn(0.46 * rng.uniform(0.85, 1.1) * fluid * body.lung[side], region > 0.5, "basal")


def pneumothorax(body: Body, rng: np.random.Generator, side: Side, severity: Severity, size: float) -> Drawn:
    """Air between a thin pleural line and the chest wall: darker, and no markings in it."""
    ranges = {"small": (0.07, 0.12), "moderate": (0.12, 0.20), "large": (0.20, 0.36)}
    depth = rng.uniform(*ranges[severity]) * size
    outward, h = body.outward(side), body.habitus
    kind = rng.choice(["apical", "lateral", "basal", "whole"], p=[0.4, 0.25, 0.15, 0.2])
    profile, zone = _detachment(rng, kind, np.asarray(h.height_of(body.y)))
    capped = kind in ("apical", "whole")
    surface = body.lateral(body.y) - depth * profile
    gas = edge(outward - surface, 0.008) * (profile > 0.02)
    cap = h.apex + (depth * 1.1 if capped else 0) + 0.5 * np.abs(outward - 0.28) ** 2 / 0.3
    over = edge(cap - body.y, 0.010) if capped else np.zeros_like(gas)
    gas = np.clip(gas + over, 0, 1) * body.lung[side]
    line = 0.17 * np.exp(-(((outward - surface) / 0.010) ** 2)) * (profile > 0.05) * (1 - over)
    if capped:
        line = np.maximum(line, 0.17 * np.exp(-(((cap - body.y) / 0.012) ** 2)) * (outward < surface))
    return Drawn(line * body.lung[side] - 0.14 * gas, gas > 0.5, zone, gas)


def _detachment(rng: np.random.Generator, kind: str, height: Plane) -> tuple[Plane, str | None]:
    """How far the lung has come off the wall, as a share, along the height; and the zone where it has."""
    if kind == "apical":
        return np.clip(1.2 - height / rng.uniform(0.4, 0.7), 0, 1.2), "apical"
    if kind == "lateral":
        return np.exp(-(((height - rng.uniform(0.35, 0.65)) / rng.uniform(0.18, 0.3)) ** 2)), None
    if kind == "basal":
        return np.clip((height - rng.uniform(0.45, 0.6)) * 2.2, 0, 1.1), "basal"
    return 0.9 + 0.2 * np.sin(3 * height), None


def edema(body: Body, rng: np.random.Generator, severity: Severity, size: float) -> Drawn:
    """Bat-wing haze around both hila, and short septal lines at the lateral bases."""
    spread = {"small": 0.7, "moderate": 1.0, "large": 1.3}[severity] * size
    density, mask = np.zeros_like(body.x), np.zeros(body.x.shape, bool)
    for side in SIDES:
        outward = body.outward(side)
        x, y = 0.26 + rng.normal(0, 0.02), -0.02 + rng.normal(0, 0.04)
        wide, tall = 0.24 * spread * rng.uniform(0.9, 1.15), 0.34 * spread * rng.uniform(0.9, 1.15)
        wing = 1 - np.sqrt(((outward - x) / wide) ** 2 + ((body.y - y) / tall) ** 2)
        wing = wing + 0.10 * texture(rng, body.size, 9)
        haze = edge(wing, 0.18) * body.lung[side]
        density += 0.24 * haze * (1 + 0.25 * texture(rng, body.size, 40))
        septa = (np.cos(2 * np.pi * body.y / 0.045) > 0.75) * edge(0.12 - body.wall(side), 0.02)
        density += 0.05 * septa * edge(body.y - 0.15, 0.03) * body.lung[side]
        mask |= (wing > 0) & (body.lung[side] > 0.5)
    return Drawn(density, mask, "perihilar")


def cardiomegaly(body: Body) -> Drawn:
    """Nothing is added: the patient was drawn with a large heart, and its outline is the finding."""
    return Drawn(np.zeros_like(body.x), body.heart > 0.5, None)


ONE_SIDED: Mapping[str, Callable[[Body, np.random.Generator, Side, Severity, float], Drawn]] = {
    "Atelectasis": atelectasis,
    "Consolidation": consolidation,
    "Lung Opacity": lung_opacity,
    "Pleural Effusion": effusion,
    "Pneumonia": pneumonia,
    "Pneumothorax": pneumothorax,
}
