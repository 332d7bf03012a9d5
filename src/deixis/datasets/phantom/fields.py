"""Soft edges and random textures on a pixel grid: the brushes everything else is painted with."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Float, Float32

Plane = Float32[np.ndarray, "y x"]

# Standard deviation of interpolated noise whose nodes have variance 1; divides it out.
NODE_SPREAD = 0.6


def edge(distance: Plane, softness: float) -> Plane:
    """A soft step: 0 far below zero, ½ at zero, 1 far above, `softness` wide."""
    step: Plane = np.tanh(distance * np.float32(0.5 / softness))
    step += np.float32(1)
    step *= np.float32(0.5)
    return step


def bump(distance: Plane, width: float) -> Plane:
    """A flat-topped band: 1 at zero, falling to 1/e at `width`."""
    squared = np.square(distance * np.float32(1 / width))
    band: Plane = np.exp(-np.square(squared))
    return band


def bell(distance: Plane, width: float) -> Plane:
    """A Gaussian: 1 at zero, 1/e at `width`."""
    curve: Plane = np.exp(-np.square(distance * np.float32(1 / width)))
    return curve


def texture(rng: np.random.Generator, size: int, bumps: int) -> Plane:
    """A smooth random plane ``[size size]`` of about unit variance with `bumps` bumps along each side."""
    nodes = rng.standard_normal((bumps + 3, bumps + 3), dtype=np.float32)
    weights = _spline(size, bumps)
    plane: Plane = (weights @ nodes @ weights.T) / np.float32(NODE_SPREAD)
    return plane


@lru_cache(maxsize=256)
def _spline(size: int, bumps: int) -> Float32[np.ndarray, "sample node"]:
    """Quadratic B-spline weights of every sample over the nodes; rows sum to 1."""
    at = (np.arange(size, dtype=np.float32) + 0.5) / size * bumps + 1
    away = np.abs(at[:, None] - np.arange(bumps + 3, dtype=np.float32)[None, :])
    weights = np.where(away < 0.5, 0.75 - away * away, np.where(away < 1.5, 0.5 * (1.5 - away) ** 2, 0))
    return np.asarray(weights / weights.sum(1, keepdims=True), dtype=np.float32)


def strand(x: Plane, y: Plane, points: Float[np.ndarray, "point 2"], width: float) -> Plane:
    """A band of half-width about `width` along a polyline of (x, y) points: 1 on it, 0 away from it."""
    nearest = np.full_like(x, np.inf)
    for (x0, y0), (x1, y1) in zip(points[:-1].tolist(), points[1:].tolist(), strict=True):
        dx, dy = x1 - x0, y1 - y0
        along = np.clip(((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy), 0, 1)
        np.minimum(nearest, np.square(x - x0 - along * dx) + np.square(y - y0 - along * dy), out=nearest)
    band: Plane = np.exp(-np.square(nearest * np.float32(1 / width**2)))
    return band


def bezier(*controls: tuple[float, float], points: int = 7) -> Float[np.ndarray, "point 2"]:
    """Points on the cubic Bézier curve of four (x, y) control points."""
    t = np.linspace(0, 1, points)[:, None]
    p = np.array(controls)
    curve: Float[np.ndarray, "point 2"] = (
        (1 - t) ** 3 * p[0] + 3 * (1 - t) ** 2 * t * p[1] + 3 * (1 - t) * t * t * p[2] + t**3 * p[3]
    )
    return curve
