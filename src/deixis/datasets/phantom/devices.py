"""Metal and plastic: pacemakers, central lines, breathing tubes, and what is stuck on the skin."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from scipy import ndimage

from deixis.datasets.phantom.anatomy import Body, Side
from deixis.datasets.phantom.fields import Plane, bezier, edge, strand
from deixis.datasets.phantom.findings import Drawn

LETTERS = {
    "R": ("1110", "1001", "1110", "1010", "1001"),
    "L": ("1000", "1000", "1000", "1000", "1111"),
}  # fmt: skip


def pacemaker(body: Body, rng: np.random.Generator, side: Side) -> Drawn:
    """A can below the clavicle and a lead into the right ventricle."""
    h, sign = body.habitus, -1 if side == "right" else 1
    x, y = sign * rng.normal(0.52, 0.04), h.apex + rng.normal(0.22, 0.04)
    radius = rng.uniform(0.075, 0.10)
    away = np.abs((body.x - x) / radius) ** 3 + np.abs((body.y - y) / (radius * 0.85)) ** 3
    can = edge(1 - away, 0.08)
    tip = 0.14 + rng.normal(0, 0.03), h.floor - 0.22 + rng.normal(0, 0.04)
    vein = bezier((x, y), (sign * 0.3, h.apex + 0.02), (-0.10, -0.45), (-0.10, 0.0))
    heart = bezier((-0.10, 0.0), (-0.10, 0.25), (0.0, tip[1] + 0.05), tip, points=4)
    lead = strand(body.x, body.y, np.concatenate([vein, heart[1:]]), 0.010)
    shell = 0.45 * can * (1 - 0.25 * edge(0.5 - away, 0.1))
    return _drawn(body, np.maximum(shell, 0.30 * lead), np.maximum(can, lead))


def central_line(body: Body, rng: np.random.Generator, side: Side) -> Drawn:
    """A catheter from the neck into the superior vena cava."""
    sign = -1 if side == "right" else 1
    course = bezier(
        (sign * rng.normal(0.20, 0.03), -1.02), (sign * rng.normal(0.19, 0.03), -0.72), (-0.08, -0.62),
        (-0.11, rng.normal(-0.22, 0.05)),
    )  # fmt: skip
    line = strand(body.x, body.y, course, 0.009)
    return _drawn(body, 0.24 * line, line)


def endotracheal_tube(body: Body, rng: np.random.Generator, side: Side) -> Drawn:
    """A tube in the trachea whose tip ends above the carina; its side is always the middle."""
    course = np.array([(0.01 + rng.normal(0, 0.006), -1.02), (0.01, -0.7), (0.005, rng.normal(-0.42, 0.05))])
    wall, bore = (strand(body.x, body.y, course, width) for width in (0.028, 0.017))
    return _drawn(body, 0.26 * (wall - 0.6 * bore), wall)


DEVICES: Mapping[str, Callable[[Body, np.random.Generator, Side], Drawn]] = {
    "pacemaker": pacemaker,
    "central line": central_line,
    "endotracheal tube": endotracheal_tube,
}


def skin_leads(body: Body, rng: np.random.Generator) -> Plane:
    """Electrodes with their wires: a distraction that no phrase names."""
    metal = np.zeros_like(body.x)
    for _ in range(int(rng.integers(1, 4))):
        x, y = rng.uniform(-0.6, 0.6), rng.uniform(-0.5, 0.5)
        away = np.sqrt((body.x - x) ** 2 + (body.y - y) ** 2)
        np.maximum(metal, 0.22 * edge(0.028 - away, 0.006), out=metal)
        wire = bezier(
            (x, y), (x + rng.normal(0, 0.1), y - 0.2), (x * 1.3, -0.3), (x + rng.normal(0, 0.3), -1.0), points=6
        )
        np.maximum(metal, 0.16 * strand(body.x, body.y, wire, 0.007), out=metal)
    return metal


def marker(size: int, rng: np.random.Generator) -> Plane:
    """1 where a letter R or L lies, in the upper corner of its own side."""
    letter = "RL"[int(rng.integers(2))]
    cell = max(1, size // 85)
    shape = np.array([[int(dot) for dot in row] for row in LETTERS[letter]], np.float32)
    shape = np.kron(shape, np.ones((cell, cell), np.float32))
    top, side = int(rng.uniform(0.03, 0.12) * size), int(rng.uniform(0.02, 0.10) * size)
    left = size - side - shape.shape[1] if letter == "L" else side
    plane = np.zeros((size, size), np.float32)
    plane[top : top + shape.shape[0], left : left + shape.shape[1]] = shape
    return plane


def _drawn(body: Body, density: Plane, shape: Plane) -> Drawn:
    """A device whose mask is its shape and a margin of a hundredth of the image."""
    mask = ndimage.binary_dilation(shape > 0.3, iterations=max(1, body.size // 128))
    return Drawn(density, mask, None)
