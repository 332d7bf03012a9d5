"""What the normal body absorbs: soft tissue, bones, lung markings and gas, in units where 1 is white on the film."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from deixis.datasets.phantom.anatomy import Body
from deixis.datasets.phantom.fields import Plane, bell, bump, edge, texture

SIGNS = (-1, 1)

# Attenuation of the parts.
TORSO, SHOULDER, AIR, LIVER = 0.56, 0.16, 0.38, 0.17
MEDIASTINUM, HEART, AORTA, HILUM = 0.24, 0.22, 0.29, 0.14
# Share of the lung behind and before the heart that the heart takes.
HEART_FILLS = 0.6
RIB, BONE, VESSEL = 0.085, 0.085, 0.12

# Vessels that leave each hilum, branches of each, and points along a vessel at 256 pixels.
TREES, FORKS, STEPS = 17, 4, 110


def soft_tissue(body: Body, rng: np.random.Generator) -> tuple[Plane, Plane]:
    """Attenuation of torso, mediastinum, heart, hila and breasts with the lungs' air taken out; and the outline."""
    h, x, y = body.habitus, body.x, body.y
    inside, rim = outline(body)
    away = np.abs(x)
    tissue = inside * (TORSO - 0.10 + 0.12 * h.soft) * np.sqrt(rim)
    tissue += inside * SHOULDER * h.soft * edge(away - body.inner + 0.02, 0.03) * edge(0.15 - y, 0.15)
    left = edge(x, 0.03)
    below = y - (1 - left) * body.floor["right"] - left * body.floor["left"]
    tissue += LIVER * inside * (edge(below, 0.01) + np.clip(below / 0.45, 0, 1)) * edge(body.inner - away, 0.03)
    depth = 0.80 + 0.20 * np.sqrt(np.clip((body.inner - away) / 0.25, 0, 1))
    lungs = body.lung["right"] + body.lung["left"]
    tissue -= lungs * (1 - HEART_FILLS * body.heart) * depth * AIR * (1 + 0.05 * texture(rng, body.size, 4))
    tissue += _mediastinum(body, rng)
    if h.breast:
        for sign in SIGNS:
            ring = np.sqrt(np.square((sign * x - 0.45) / 0.36) + np.square((y - 0.14) / 0.34))
            tissue += 0.09 * h.breast * edge(1 - ring, 0.04) * edge(y + 0.02, 0.12)
    return tissue, inside


def outline(body: Body) -> tuple[Plane, Plane]:
    """1 inside torso, neck and arms; and the depth below the skin's side, 0 at the skin to 1."""
    h, x, y = body.habitus, body.x, body.y
    away = np.abs(x)
    slope = np.maximum(away - 0.26, 0)
    shoulder = h.apex - 0.10 + 0.16 * slope + 0.22 * np.square(slope) - 1.6 * np.square(np.maximum(0.34 - away, 0))
    skin = h.width + 0.07 + 0.05 * h.soft + 0.02 * np.sin(4 * y)
    pit = y - (h.corner - 0.62 + 0.5 * h.arm)
    # Below the armpit a wedge of air opens between the flank and the arm.
    side = np.maximum(skin - away, np.maximum(away - skin - pit * (0.25 + h.arm), -pit))
    trunk = edge(np.minimum(side, y - shoulder), 0.008)
    neck = edge(0.30 - away, 0.015) * edge(h.apex + 0.2 - y, 0.05)
    rim = np.clip(side / 0.14, 0.1, 1) * np.clip((y - shoulder + 0.12) / 0.28, 0.45, 1)
    return np.maximum(trunk, neck), np.maximum(rim, 0.75 * edge(0.36 - away, 0.03))


def _mediastinum(body: Body, rng: np.random.Generator) -> Plane:
    h, x, y = body.habitus, body.x, body.y
    away = np.abs(x)
    vessels = 0.035 * edge(y + 0.45, 0.06) + 0.05 * bell(y + 0.05, 0.25)
    border = h.medial + 0.005 + vessels * np.where(x < 0, np.float32(1), np.float32(0.3))
    core = edge(border - away, 0.010) * edge(h.floor + 0.05 - y, 0.08)
    arch = edge(h.knob - np.sqrt(np.square(x - 0.10) + np.square((y + 0.36) / 1.15)), 0.008)
    trunk = edge(0.115 - np.sqrt(np.square(x - 0.115) + np.square((y + 0.14) / 1.3)), 0.012)
    descending = edge(0.05 - np.abs(x - 0.13), 0.012) * edge(y + 0.36, 0.05) * edge(0.7 - y, 0.1)
    muscle = HEART * body.heart * (0.78 + 0.22 * np.sqrt(np.maximum(body.heart_depth, 0)))
    solid = np.maximum.reduce([MEDIASTINUM * core, AORTA * arch, 0.9 * AORTA * trunk, muscle])
    solid += 0.05 * descending
    hila = sum(
        np.exp(-np.square((sign * x - 0.20 - 0.12 * np.maximum(y + 0.05, 0)) / 0.07) - np.square((y + low) / 0.15))
        for sign, low in ((-1, 0.04), (1, 0.09))
    )
    hila = np.asarray(hila) * (1 + 0.35 * texture(rng, body.size, 26)) * (1 - 0.8 * body.heart)
    return np.asarray(solid + HILUM * hila)


def skeleton(body: Body, rng: np.random.Generator, inside: Plane) -> Plane:
    """Attenuation of ribs, clavicles, scapulae, upper arms and spine."""
    return np.asarray((RIB * _ribs(body, rng) + BONE * _bones(body, rng)) * inside)


def _ribs(body: Body, rng: np.random.Generator) -> Plane:
    """Posterior ribs as arcs with brighter edges, crossed by the fainter anterior ones."""
    h = body.habitus
    gap, thick = rng.uniform(0.135, 0.155), rng.uniform(0.036, 0.044)
    away = np.abs(body.x)
    share = np.clip(away / (np.maximum(body.inner, 0.2) + 0.035), 0, 1.15)
    cage = edge(1.0 - share, 0.008) * edge(away - 0.06, 0.015)
    steep = rng.uniform(0.10, 0.16) + 0.05 * (body.y - h.apex)
    arch = steep * np.square(share) * share + 0.22 * np.square(np.square(share)) * share - 0.05 * np.sin(np.pi * share)
    posterior = _nearest(body.y - h.apex - 0.02 - arch, gap) * np.float32(1 / thick)
    bands = bump(posterior, 1.0) * (0.55 + 0.6 * bell(posterior - 0.75, 0.35)) * cage
    # The beam meets the ribs edge-on where they bend around the side of the chest.
    bands *= 1 + 1.4 * bell(share - 0.985, 0.07)
    slant = rng.uniform(0.30, 0.42)
    anterior = _nearest(body.y - h.apex - 0.36 + slant * share, gap * 1.08) * np.float32(0.85 / thick)
    front = bump(anterior, 1.0) * (0.4 + 0.35 * bell(anterior - 0.75, 0.35)) * cage * edge(share - 0.42, 0.03)
    seen = edge(body.y - h.apex - 0.03, 0.02) * edge(h.corner + 0.1 - body.y, 0.08)
    return np.asarray((bands + front) * h.ribs * seen)


def _nearest(distance: Plane, gap: float) -> Plane:
    """Distance to the nearest of parallel lines `gap` apart."""
    phase = distance * np.float32(1 / gap)
    return np.abs(phase - np.round(phase)) * np.float32(gap)


def _bones(body: Body, rng: np.random.Generator) -> Plane:
    """Clavicles, scapulae, heads of the upper arms and the vertebrae of the spine."""
    h, x, y = body.habitus, body.x, body.y
    total = np.zeros_like(x)
    raised, inward = rng.normal(0, 0.03), 0.0 if h.pa else -0.10
    for sign in SIGNS:
        outward = sign * x
        clavicle = y - (h.apex + 0.24 + raised - 0.30 * (outward - 0.06) - 0.025 * np.sin(8 * outward - 1.0))
        span = edge(outward - 0.075, 0.012) * edge(0.80 - outward, 0.02)
        band = clavicle * np.float32(1 / 0.034)
        total += bump(band, 1.0) * (0.9 + 0.7 * bell(np.abs(band) - 0.75, 0.35)) * span
        slanted = outward - 0.84 - inward - 0.22 * (y + 0.2)
        blade = edge(1 - np.sqrt(np.square(slanted / 0.17) + np.square((y + 0.24) / 0.40)), 0.05)
        total += blade * (0.45 + 0.5 * bell(slanted + 0.14, 0.05))
        joint = np.sqrt(np.square((outward - 1.0) / 0.14) + np.square((y - h.apex - 0.16) / 0.15))
        total += 0.9 * edge(1 - joint, 0.06)
        total += 0.7 * edge(0.06 - np.abs(outward - 1.02 - 0.1 * y), 0.015) * edge(y - h.apex - 0.25, 0.03)
    vertebra = np.cos(2 * np.pi / 0.165 * (y + 0.03 * np.cos(2 * y) + rng.uniform(0, 1)))
    spine = edge(0.088 + 0.012 * vertebra - np.abs(x), 0.010)
    return total + spine * (0.15 + 0.45 * edge(vertebra + 0.75, 0.15) + 0.3 * bell(np.abs(x) - 0.07, 0.02))


def vessels(body: Body, rng: np.random.Generator) -> Plane:
    """Markings that branch from the hila and thin towards the periphery, about 0 to 1.5."""
    count = 2 * TREES
    sign = np.repeat(np.array(SIGNS, np.float32), TREES)[:, None]
    heading = np.tile(np.linspace(-1.25, 1.45, TREES), 2)[:, None] + rng.normal(0, 0.14, (count, 1))
    start = 0.17 + rng.normal(0, 0.03, (count, 1)), -0.06 + 0.14 * heading + rng.normal(0, 0.04, (count, 1))
    length = rng.uniform(0.35, 0.80, (count, 1))
    calibre = rng.uniform(0.35, 0.95, (count, 1))
    steps = STEPS * body.size // 256
    stem = _grow(start, heading, rng.normal(0.15, 0.5, (count, 1)), length, steps)
    drawn = [(sign * stem[0], stem[1], calibre * (1 - np.linspace(0, 1, steps)) ** 0.8)]
    for turn in (-1, 1) * (FORKS // 2):
        fork = rng.integers(steps // 8, steps * 3 // 4, (count, 1))
        at = tuple(np.take_along_axis(part, fork, 1) for part in stem[:2])
        angle = np.take_along_axis(stem[2], fork, 1) + turn * rng.uniform(0.3, 0.8, (count, 1))
        twig = _grow((at[0], at[1]), angle, -turn * rng.uniform(0, 0.6, (count, 1)), 0.55 * length, steps // 2)
        thinner = 0.75 * calibre * (1 - fork / steps) * (1 - np.linspace(0, 1, steps // 2)) ** 0.8
        drawn.append((sign * twig[0], twig[1], thinner))
    x, y, calibres = (np.concatenate([part[i].ravel() for part in drawn]) for i in range(3))
    return _traced(body, x, y, calibres)


def _grow(
    start: tuple[np.ndarray, np.ndarray], heading: np.ndarray, bend: np.ndarray, length: np.ndarray, steps: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Outward distance, y and heading along curves ``[vessel step]``."""
    course = heading + bend * np.linspace(0, 1, steps) + 0.10 * np.sin(np.linspace(0, 9, steps) + 7 * bend)
    step = length / steps
    return start[0] + np.cumsum(np.cos(course) * step, 1), start[1] + np.cumsum(np.sin(course) * step, 1), course


def _traced(body: Body, x: np.ndarray, y: np.ndarray, calibre: np.ndarray) -> Plane:
    """Points drawn as soft strands: thicker where the calibre is larger."""
    columns, rows = body.to_pixels(x, y)
    on = (columns >= 0) & (rows >= 0) & (columns < body.size) & (rows < body.size)
    canvas = np.zeros((body.size, body.size), np.float32)
    np.maximum.at(canvas, (rows[on], columns[on]), calibre[on].astype(np.float32))
    grain = body.size / 256
    thin = ndimage.gaussian_filter(canvas, 0.7 * grain, truncate=3) * np.float32(1.7)
    thick = ndimage.gaussian_filter(canvas * canvas, 1.5 * grain, truncate=3) * np.float32(1.8)
    return np.asarray(thin + thick)


def gas(body: Body, rng: np.random.Generator) -> Plane:
    """What the trachea's column of air, the main bronchi and the gastric bubble take away."""
    x, y = body.x, body.y
    lean = 0.005 - 0.02 * bell(y + 0.36, 0.15)
    trachea = bump(x - lean, 0.040) * edge(-0.20 - y, 0.02)
    for sign in SIGNS:
        bronchus = np.abs(y + 0.20 - (0.9 if sign < 0 else 0.6) * (sign * x))
        trachea = np.maximum(trachea, 0.6 * bump(bronchus, 0.032) * edge(sign * x, 0.02) * edge(0.17 - sign * x, 0.02))
    place, top = rng.uniform(0.30, 0.50), float(body.dome("left", np.asarray(0.40))) + rng.uniform(0.07, 0.11)
    wide, tall = rng.uniform(0.08, 0.16), rng.uniform(0.035, 0.07)
    away = np.sqrt(np.square((x - place) / wide) + np.square((y - top) / tall))
    bubble = rng.uniform(0.06, 0.20) * edge(1 - away - 0.5 * edge(y - top, 0.03) * edge(away - 0.4, 0.2), 0.08)
    return np.asarray(0.11 * trachea + bubble)
