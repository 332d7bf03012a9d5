"""The findings, one function each: what it adds to the attenuation, where it is, and in which zone.

Every function takes the body, a random generator and a degree, and gives a `Drawn`. The table `ONE_SIDED` names
those that lie on one side.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool
from scipy import ndimage

from deixis.datasets.phantom.anatomy import SIDES, Body, Side
from deixis.datasets.phantom.fields import Plane, edge, texture

Severity = Literal["small", "moderate", "large"]
SEVERITIES: tuple[Severity, Severity, Severity] = ("small", "moderate", "large")

# Radius of a parenchymal finding in body coordinates.
RADIUS: Mapping[Severity, tuple[float, float]] = {
    "small": (0.090, 0.144), "moderate": (0.144, 0.225), "large": (0.225, 0.342)
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
    stretch = float(np.exp(rng.normal(0, 0.28)))
    turn = rng.uniform(0, np.pi)
    dx, dy = body.outward(side) - at.outward, body.y - at.y
    u, v = dx * np.cos(turn) + dy * np.sin(turn), -dx * np.sin(turn) + dy * np.cos(turn)
    away = np.sqrt((u / (at.radius * np.sqrt(stretch))) ** 2 + (v / (at.radius / np.sqrt(stretch))) ** 2)
    return np.asarray(1 - away + roughness * texture(rng, body.size, int(rng.integers(7, 12))))


def consolidation(body: Body, rng: np.random.Generator, side: Side, severity: Severity, size: float) -> Drawn:
    """Dense, well-edged, with dark air bronchograms that fan out from the hilar side."""
    at = spot(body, rng, side, rng.uniform(*RADIUS[severity]) * size)
    filled = edge(_blob(body, rng, side, at, 0.22), 0.06) * body.lung[side]
    density = 0.26 * rng.uniform(0.85, 1.2) * filled
    heading = np.arctan2(at.y + 0.08, at.outward - 0.15)
    dx = body.outward(side) - (at.outward - 0.75 * at.radius * np.cos(heading))
    dy = body.y - (at.y - 0.75 * at.radius * np.sin(heading))
    for _ in range(int(rng.integers(3, 6))):
        angle = heading + rng.normal(0, 0.45)
        along, across = dx * np.cos(angle) + dy * np.sin(angle), -dx * np.sin(angle) + dy * np.cos(angle)
        across = across - 0.25 * along**2 * rng.normal(0, 1.5)
        bronchus = np.exp(-((across / 0.011) ** 2)) * edge(along, 0.02) * edge(1.35 * at.radius - along, 0.03)
        density = density - 0.13 * bronchus * filled
    return Drawn(density, filled > 0.5, at.zone)


def pneumonia(body: Body, rng: np.random.Generator, side: Side, severity: Severity, size: float) -> Drawn:
    """Many patches of different density within one region."""
    at = spot(body, rng, side, rng.uniform(*RADIUS[severity]) * size)
    at = Spot(at.outward, at.y, at.radius * 1.15, at.zone)
    region = _blob(body, rng, side, at, 0.22)
    patches = edge(texture(rng, body.size, int(rng.integers(20, 28))) + 0.1, 0.25)
    density = 0.29 * rng.uniform(0.85, 1.2) * edge(region, 0.15) * body.lung[side] * patches
    return Drawn(density, (region > 0.02) & (body.lung[side] > 0.5), at.zone)


def lung_opacity(body: Body, rng: np.random.Generator, side: Side, severity: Severity, size: float) -> Drawn:
    """A soft haze without inner structure, densest in the middle."""
    at = spot(body, rng, side, rng.uniform(*RADIUS[severity]) * size)
    at = Spot(at.outward, at.y, at.radius * 1.1, at.zone)
    region = _blob(body, rng, side, at, 0.16)
    haze = np.clip(region + 0.25, 0, 1) * body.lung[side]
    density = 0.225 * rng.uniform(0.85, 1.2) * np.minimum(1, 1.3 * haze)
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
        along = dx * np.cos(angle) + dy * np.sin(angle)
        across = -dx * np.sin(angle) + dy * np.cos(angle) + 0.3 * dx**2
        plate = np.exp(-((across / rng.uniform(0.017, 0.030)) ** 4)) * edge(length - np.abs(along), 0.02)
        density += 0.19 * plate
        mask |= plate > 0.35
    mask = ndimage.binary_dilation(mask, iterations=max(1, body.size // 128)) & (body.lung[side] > 0.4)
    return Drawn(density * body.lung[side], mask, at.zone)


def effusion(body: Body, rng: np.random.Generator, side: Side, severity: Severity, size: float) -> Drawn:
    """Fluid from the base up, rising towards the chest wall, that fills the costophrenic angle."""
    ranges = {"small": (0.10, 0.20), "moderate": (0.20, 0.42), "large": (0.42, 0.85)}
    height = rng.uniform(*ranges[severity]) * size
    outward = body.outward(side)
    floor = body.dome(side, outward)
    level = float(body.dome(side, np.asarray(0.62))) - height
    share = np.clip((outward - 0.12) / 0.6, 0, 1.0)
    surface = level + (0.10 + 0.25 * height) * (1 - share) ** 1.5 * rng.uniform(0.5, 1.6) - 0.06 * share**4
    fluid = edge(body.y - surface, 0.018)
    space = edge(body.wall(side) + 0.01, 0.012) * edge(outward - body.medial(body.y), 0.012)
    region = fluid * space * edge(floor + 0.05 - body.y, 0.02)
    density = 0.36 * rng.uniform(0.9, 1.1) * fluid * body.lung[side]
    return Drawn(density, (region > 0.5) & (outward > 0.05), "basal")


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
    line = 0.14 * np.exp(-(((outward - surface) / 0.010) ** 2)) * (profile > 0.05) * (1 - over)
    if capped:
        line = np.maximum(line, 0.14 * np.exp(-(((cap - body.y) / 0.012) ** 2)) * (outward < surface))
    return Drawn(line * body.lung[side] - 0.08 * gas, gas > 0.5, zone, gas)


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
        density += 0.19 * haze * (1 + 0.25 * texture(rng, body.size, 40))
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
