"""One phantom: a patient, findings, the words that are true of them, and the film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32
from scipy import ndimage

from deixis.datasets.phantom.anatomy import SIDES, Body, Habitus, Side, Style, draw_habitus
from deixis.datasets.phantom.devices import DEVICES, marker, skin_leads
from deixis.datasets.phantom.fields import Plane, texture
from deixis.datasets.phantom.findings import ONE_SIDED, SEVERITIES, Drawn, Severity, cardiomegaly, edema
from deixis.datasets.phantom.phrases import CATEGORIES, Facts, Saying, describe, report
from deixis.datasets.phantom.tissue import HEART_FILLS, VESSEL, gas, skeleton, soft_tissue, vessels
from deixis.errors import CaseError
from deixis.types import Box

# How often an image holds 0, 1, 2, 3, 4 findings.
COUNTS = (0.10, 0.34, 0.33, 0.16, 0.07)
# Cardiothoracic ratio: normal below a half.
NORMAL_HEART = (0.37, 0.48)
HEART_RATIO: Mapping[Severity, tuple[float, float]] = {
    "small": (0.56, 0.60), "moderate": (0.60, 0.65), "large": (0.65, 0.70)
}  # fmt: skip
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
UNNAMED_DEVICE = 0.08
# Findings that hide none and are hidden by none; how often another is drawn anew, and from which hidden share on.
TRANSPARENT, TRIES, HIDDEN = ("Cardiomegaly", "Edema", "Support Devices"), 5, 0.3
SKIN_LEADS, MARKED, COLLIMATED = 0.15, 0.7, 0.2
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
        zone: "apical", "upper", "middle", "perihilar", "lower", "basal",
            "retrocardiac", or None.
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

    Raises:
        CaseError: more findings are asked for than an image can hold.
    """
    if not 0 <= findings[0] <= findings[1] < len(COUNTS):
        raise CaseError(f"A phantom holds 0 to {len(COUNTS) - 1} findings; asked for {findings}. Give (least, most).")
    style = style or Style()
    rng = np.random.default_rng(seed)
    plans = _plan(rng, *findings)
    hearts = [HEART_RATIO[plan.severity] for plan in plans if plan.category == "Cardiomegaly"]
    body = Body(draw_habitus(rng, ratio=hearts[0] if hearts else NORMAL_HEART, style=style), size)
    drawn = _draw_apart(plans, body, rng, style.finding)
    distractor = _distractor(plans, body, rng)
    pixels = _film(_attenuation(body, rng, plans, drawn) + distractor, body.habitus, rng)
    planted = tuple(
        PlantedFinding(plan.category, _side(plan), one.zone, plan.severity, plan.kind, one.mask)
        for plan, one in zip(plans, drawn, strict=True)
        if one.mask.mean() >= VISIBLE
    )
    said = _say(planted, rng)
    text = report([saying for saying, _ in said], rng, unnamed=("Support Devices",) if distractor.any() else ())
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


def _draw_apart(plans: list[Finding], body: Body, rng: np.random.Generator, size: float) -> list[Drawn]:
    """The findings, each drawn anew a few times where earlier ones would hide it."""
    drawn: list[Drawn] = []
    for plan in plans:
        hiding = [one.mask for other, one in zip(plans, drawn, strict=False) if other.category not in TRANSPARENT]
        taken = np.logical_or.reduce([np.zeros(body.x.shape, bool), *hiding])
        for _ in range(TRIES):
            one = _draw(plan, body, rng, size)
            area = int(one.mask.sum())
            seen = area >= VISIBLE * one.mask.size and int((one.mask & taken).sum()) <= HIDDEN * area
            if seen or plan.category in TRANSPARENT:
                break
        drawn.append(one)
    return drawn


def _distractor(plans: list[Finding], body: Body, rng: np.random.Generator) -> Plane:
    """Now and then a device of another kind than the named ones, that no phrase names."""
    kinds = [kind for kind in DEVICES if all(plan.kind != kind for plan in plans)]
    kind, side = kinds[int(rng.integers(len(kinds)))], SIDES[int(rng.integers(2))]
    return DEVICES[kind](body, rng, side).density if rng.random() < UNNAMED_DEVICE else np.zeros_like(body.x)


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


def _attenuation(body: Body, rng: np.random.Generator, plans: list[Finding], drawn: list[Drawn]) -> Plane:
    """Everything the beam passes through: soft tissue, markings where lung is left, lesions, bones, metal."""
    lesions, metal, kept = np.zeros_like(body.x), np.zeros_like(body.x), np.ones_like(body.x)
    for plan, one in zip(plans, drawn, strict=True):
        if plan.kind is not None:
            np.maximum(metal, one.density, out=metal)
        elif one.gas is not None:
            lesions, kept = lesions + one.density, kept * (1 - one.gas)
        else:
            # Where two lesions overlap, the denser one dominates: tissue can be filled only once.
            lesions = np.maximum(lesions, one.density) + 0.3 * np.minimum(lesions, one.density)
    tissue, inside = soft_tissue(body, rng)
    lungs = body.lung["right"] + body.lung["left"]
    grain = 0.012 * texture(rng, body.size, 60) + 0.012 * texture(rng, body.size, 26)
    markings = lungs * kept * (1 - 0.5 * body.heart) * (VESSEL * np.minimum(vessels(body, rng), 1.5) + grain)
    leads = skin_leads(body, rng) if rng.random() < SKIN_LEADS else 0.0
    lesions *= 1 - HEART_FILLS * body.heart
    return np.asarray(tissue + markings + lesions + skeleton(body, rng, inside) - gas(body, rng) + metal + leads)


def _film(density: Plane, habitus: Habitus, rng: np.random.Generator) -> Float32[np.ndarray, "y x"]:
    """Scatter, a sigmoid film, noise, a side marker and the collimator's frame; stretched to [0, 1]."""
    size = len(density)
    coarse = ndimage.uniform_filter(ndimage.uniform_filter(density[::4, ::4], size // 24), size // 24)
    blurred = np.repeat(np.repeat(coarse, 4, 0), 4, 1)[:size, :size]
    density = density + np.float32(habitus.scatter) * (blurred - density)
    white = rng.standard_normal(density.shape, dtype=np.float32)
    white += 0.5 * (np.roll(white, 1, 0) + np.roll(white, 1, 1))
    exposed = (density - 0.52) * habitus.contrast + 0.02 + habitus.bright + habitus.noise * white
    film = 0.5 + 0.5 * np.tanh(1.55 * exposed) / np.tanh(1.55 * 0.6)
    if rng.random() < MARKED:
        film = np.maximum(film, 0.95 * marker(size, rng))
    if rng.random() < COLLIMATED:
        top, bottom, left, right = (int(margin) for margin in rng.uniform(0, 0.05, 4) * size)
        frame = np.zeros_like(film)
        frame[top : size - bottom, left : size - right] = 1
        film = film * frame
    low, high = float(film.min()), float(film.max())
    return np.asarray(np.clip((film - low) / (high - low), 0, 1), dtype=np.float32)


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
    zones, severity = {finding.zone for finding in findings}, first.severity if len(severities) == 1 else None
    return Facts(first.category, "bilateral", first.zone if len(zones) == 1 else None, severity, first.kind)


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
