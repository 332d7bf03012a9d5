"""One phantom: a patient, findings, the words that are true of them, and the film."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage

from deixis.datasets.phantom.anatomy import (
    SIDES,
    Body,
    Habitus,
    Side,
    Style,
    bones,
    draw_habitus,
    outline,
    ribs,
    soft_tissue,
    vessels,
)  # fmt: skip
from deixis.datasets.phantom.devices import DEVICES, marker, skin_leads
from deixis.datasets.phantom.fields import Plane, edge, texture
from deixis.datasets.phantom.findings import ONE_SIDED, SEVERITIES, Drawn, Severity, cardiomegaly, edema
from deixis.datasets.phantom.phrases import CATEGORIES, Facts, Saying, describe, report
from deixis.types import Box

# How often an image holds 0, 1, 2, 3, 4 findings.
COUNTS = (0.10, 0.34, 0.33, 0.16, 0.07)
# Findings that show on less than this share of the image are left out, words and all.
VISIBLE = 0.0012
# How often a finding on one side has its like on the other.
BILATERAL = {
    "Pleural Effusion": 0.3,
    "Atelectasis": 0.12,
    "Consolidation": 0.12,
    "Lung Opacity": 0.12,
    "Pneumonia": 0.12,
}
SKIN_LEADS = 0.15
# Parts of a mask smaller than this share of it are no finding of their own.
SPECK = 0.05
# Millimetres along a side of the image.
FIELD_OF_VIEW = 360.0


@dataclass(frozen=True)
class PlantedFinding:
    """A finding and its truth.

    Args:
        category: one of the eight classes of MS-CXR, or Support Devices.
        side: the patient's "left" or "right" (image right or left), "bilateral" or "midline".
        zone: "apical", "upper", "middle", "perihilar", "lower", "basal", or None.
        severity: "small", "moderate" or "large".
        kind: of a device.
        mask: bool ``[y x]``.
    """

    category: str
    side: str
    zone: str | None
    severity: str
    kind: str | None
    mask: Bool[np.ndarray, "y x"]


@dataclass(frozen=True)
class PlantedPhrase:
    """A phrase and everything in the image that it is true of.

    Args:
        text: the words.
        category: finding class.
        attributes: what the words state.
        names_place: whether they name a side or a zone.
        findings: indices into the scene's findings.
        mask: union of those findings' masks.
        boxes: one per connected part of the mask.
    """

    text: str
    category: str
    attributes: tuple[str, ...]
    names_place: bool
    findings: tuple[int, ...]
    mask: Bool[np.ndarray, "y x"]
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class Scene:
    """A phantom: pixels float32 ``[y x]`` in [0, 1], bone bright; truth; words; millimetres per pixel."""

    seed: int
    pixels: Float32[np.ndarray, "y x"]
    findings: tuple[PlantedFinding, ...]
    phrases: tuple[PlantedPhrase, ...]
    report: str
    spacing: float


@dataclass(frozen=True)
class Finding:
    """A finding before it is drawn."""

    category: str
    side: Side
    severity: Severity
    kind: str | None


def scene(seed: int, size: int = 256, *, findings: tuple[int, int] = (0, 4), style: Style | None = None) -> Scene:
    """The phantom of a seed, always the same.

    Args:
        seed: any whole number; training, validation and test take disjoint ranges.
        size: side in pixels.
        findings: least and most findings that are asked for; one too faint to see is left out.
        style: knobs for images unlike the training ones.
    """
    style = style or Style()
    rng = np.random.default_rng(seed)
    plans = _plan(rng, *findings)
    enlarged = any(plan.category == "Cardiomegaly" for plan in plans)
    body = Body(draw_habitus(rng, enlarged=enlarged, style=style), size)
    normal = soft_tissue(body, rng), vessels(body, rng)
    drawn = [_draw(plan, body, rng, style.finding) for plan in plans]
    pixels = _film(_attenuation(body, rng, normal, list(zip(plans, drawn, strict=True))), body.habitus, rng)
    planted = tuple(
        PlantedFinding(plan.category, _side(plan), one.zone, plan.severity, plan.kind, one.mask)
        for plan, one in zip(plans, drawn, strict=True)
        if one.mask.mean() >= VISIBLE
    )
    said = _say(planted, rng)
    text = report([saying for saying, _ in said], rng)
    return Scene(seed, pixels, planted, tuple(_phrase(planted, *one) for one in said), text, FIELD_OF_VIEW / size)


def _plan(rng: np.random.Generator, least: int, most: int) -> list[Finding]:
    """What the image will hold; no two findings that cannot be told apart."""
    weights = np.array(COUNTS[least : most + 1])
    wanted = least + int(rng.choice(len(weights), p=weights / weights.sum()))
    plans: list[Finding] = []
    while len(plans) < wanted:
        category, side = CATEGORIES[int(rng.integers(len(CATEGORIES)))], SIDES[int(rng.integers(2))]
        if _clashes(plans, category, side):
            continue
        kind = tuple(DEVICES)[int(rng.integers(len(DEVICES)))] if category == "Support Devices" else None
        if kind == "endotracheal tube" and any(plan.category == category for plan in plans):
            continue
        plans.append(Finding(category, side, _severity(rng), kind))
        other: Side = "left" if side == "right" else "right"
        twin = rng.random() < BILATERAL.get(category, 0.0)
        if twin and len(plans) < most and not _clashes(plans, category, other):
            plans.append(Finding(category, other, _severity(rng), None))
    return plans


def _clashes(plans: list[Finding], category: str, side: Side) -> bool:
    same = [plan for plan in plans if plan.category == category]
    if category in ("Cardiomegaly", "Edema"):
        return bool(same)
    if any(plan.side == side for plan in same):
        return True
    pleural = ("Pleural Effusion", "Pneumothorax")
    return category in pleural and any(plan.category in pleural and plan.side == side for plan in plans)


def _severity(rng: np.random.Generator) -> Severity:
    return SEVERITIES[int(rng.choice(3, p=(0.35, 0.40, 0.25)))]


def _draw(plan: Finding, body: Body, rng: np.random.Generator, size: float) -> Drawn:
    if plan.kind is not None:
        return DEVICES[plan.kind](body, rng, plan.side)
    if plan.category == "Cardiomegaly":
        return cardiomegaly(body)
    if plan.category == "Edema":
        return edema(body, rng, plan.severity, size)
    return ONE_SIDED[plan.category](body, rng, plan.side, plan.severity, size)


def _side(plan: Finding) -> str:
    """The side as words may say it."""
    if plan.category == "Edema":
        return "bilateral"
    return "midline" if plan.category == "Cardiomegaly" or plan.kind == "endotracheal tube" else plan.side


def _attenuation(
    body: Body, rng: np.random.Generator, normal: tuple[Plane, Plane], findings: list[tuple[Finding, Drawn]]
) -> Plane:
    """Everything the beam passes through: soft tissue, markings where lung is left, lesions, bones, metal."""
    tissue, markings = normal
    lesions, metal, kept = np.zeros_like(body.x), np.zeros_like(body.x), np.ones_like(body.x)
    for plan, drawn in findings:
        if plan.kind is not None:
            np.maximum(metal, drawn.density, out=metal)
        elif drawn.gas is not None:
            lesions, kept = lesions + drawn.density, kept * (1 - drawn.gas)
        else:
            # Where two lesions overlap, the denser one dominates: tissue can be filled only once.
            both = np.minimum(lesions, drawn.density)
            lesions = np.maximum(lesions, 0.85 * drawn.density) + 0.3 * both + 0.15 * drawn.density
    lungs = body.lung["right"] + body.lung["left"]
    grain = 0.010 * texture(rng, body.size, 48) + 0.012 * texture(rng, body.size, 24)
    air = lungs * kept * (0.10 * np.minimum(markings, 1.6) + grain)
    leads = skin_leads(body, rng) if rng.random() < SKIN_LEADS else 0.0
    return np.asarray(tissue + air + lesions + _skeleton(body, rng) - _gas(body, rng) + metal + leads)


def _skeleton(body: Body, rng: np.random.Generator) -> Plane:
    below = edge(body.habitus.floor + 0.15 - body.y, 0.1)
    inside = outline(body)
    return np.asarray(0.10 * ribs(body, rng) * inside * below + 0.085 * bones(body, rng) * inside)


def _gas(body: Body, rng: np.random.Generator) -> Plane:
    """What the trachea's column of air and the gastric bubble take away."""
    trachea = 0.09 * np.exp(-(((body.x - 0.01) / 0.032) ** 4)) * edge(-0.22 - body.y, 0.03)
    stomach = float(body.dome("left", np.asarray(0.36))) + 0.10
    bubble = np.exp(-((((body.x - 0.36) / 0.13) ** 2 + ((body.y - stomach) / 0.06) ** 2) ** 2))
    return np.asarray(trachea + rng.uniform(0.05, 0.18) * bubble)


def _film(density: Plane, habitus: Habitus, rng: np.random.Generator) -> Float32[np.ndarray, "y x"]:
    """Scatter, a sigmoid film, noise, a side marker and the collimator's frame; stretched to [0, 1]."""
    size = len(density)
    if habitus.scatter > 0.04:
        coarse = ndimage.uniform_filter(ndimage.uniform_filter(density[::4, ::4], 9), 9)
        blurred = np.repeat(np.repeat(coarse, 4, 0), 4, 1)[:size, :size]
        density = (1 - habitus.scatter) * density + habitus.scatter * blurred
    exposed = (density - 0.45) * habitus.contrast * 1.2 + 0.47 + habitus.bright
    white = rng.standard_normal(density.shape, dtype=np.float32)
    exposed = exposed + habitus.noise * (white + 0.5 * (np.roll(white, 1, 0) + np.roll(white, 1, 1)))
    film = 1 / (1 + np.exp(-4.4 * (exposed - 0.5)))
    if rng.random() < 0.7:
        film = np.maximum(film, 0.95 * marker(size, rng))
    if rng.random() < 0.2:
        top, bottom, left, right = (int(margin) for margin in rng.uniform(0, 0.05, 4) * size)
        frame = np.zeros_like(film)
        frame[top : size - bottom, left : size - right] = 1
        film = film * frame
    low, high = float(film.min()), float(film.max())
    return np.clip((film - low) / (high - low), 0, 1).astype(np.float32)


def _say(planted: tuple[PlantedFinding, ...], rng: np.random.Generator) -> list[tuple[Saying, tuple[int, ...]]]:
    """A phrase for every group of findings; in half of the images none of them names a place."""
    say_place = bool(rng.random() < 0.5)
    groups: dict[tuple[str, str | None], list[int]] = {}
    for index, finding in enumerate(planted):
        groups.setdefault((finding.category, finding.kind), []).append(index)
    said = []
    for members in groups.values():
        together = len(members) > 1 and (not say_place or rng.random() < 0.5)
        for named in [members] if together else [[index] for index in members]:
            facts = _facts([planted[index] for index in named])
            said.append((describe(facts, rng, say_place=say_place), tuple(named)))
    return said


def _facts(findings: list[PlantedFinding]) -> Facts:
    """What is true of all of them."""
    first = findings[0]
    if len(findings) == 1:
        return Facts(first.category, first.side, first.zone, first.severity, first.kind)
    severities = {finding.severity for finding in findings}
    return Facts(first.category, "bilateral", None, first.severity if len(severities) == 1 else None, first.kind)


def _phrase(planted: tuple[PlantedFinding, ...], saying: Saying, members: tuple[int, ...]) -> PlantedPhrase:
    mask = np.logical_or.reduce([planted[index].mask for index in members])
    return PlantedPhrase(
        saying.text, planted[members[0]].category, saying.attributes, saying.names_place, members, mask, _boxes(mask)
    )


def _boxes(mask: Bool[np.ndarray, "y x"]) -> tuple[Box, ...]:
    """One box per connected part; specks below a twentieth of the mask belong to no box of their own."""
    labels, count = ndimage.label(mask, structure=np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    boxes = []
    for label, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        if sizes[label] >= SPECK * mask.sum():
            boxes.append(Box(float(columns.start), float(rows.start), float(columns.stop), float(rows.stop)))
    return tuple(boxes)
