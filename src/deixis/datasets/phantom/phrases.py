"""Radiology English: phrases for findings, what each phrase states, and whole reports around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

CATEGORIES = (
    "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Lung Opacity", "Pleural Effusion", "Pneumonia",
    "Pneumothorax", "Support Devices",
)  # fmt: skip

NOUNS: Mapping[str, tuple[str, ...]] = {
    "Atelectasis": (
        "atelectasis", "atelectatic bands", "plate-like atelectasis", "linear atelectasis",
        "subsegmental atelectasis", "volume loss with linear opacities", "discoid atelectasis", "bandlike opacities",
    ),
    "Cardiomegaly": (
        "cardiomegaly", "enlarged cardiac silhouette", "enlargement of the heart", "the heart is enlarged",
        "increased heart size", "the cardiac silhouette is enlarged", "enlarged heart",
    ),
    "Consolidation": (
        "consolidation", "airspace consolidation", "dense consolidation", "consolidation with air bronchograms",
        "focal consolidation", "confluent airspace disease",
    ),
    "Edema": (
        "pulmonary edema", "interstitial edema", "pulmonary vascular congestion",
        "edema", "interstitial pulmonary edema", "pulmonary vascular congestion with interstitial edema",
        "bat-wing edema",
    ),
    "Lung Opacity": (
        "hazy opacity", "opacity", "ground-glass opacity", "ill-defined opacity", "lung opacity", "faint opacity",
        "area of increased density",
    ),
    "Pleural Effusion": ("pleural effusion", "effusion", "pleural fluid", "layering effusion"),
    "Pneumonia": (
        "pneumonia", "patchy opacities concerning for pneumonia", "infectious infiltrate", "multifocal pneumonia",
        "patchy infiltrate", "bronchopneumonia",
    ),
    "Pneumothorax": (
        "pneumothorax", "pneumothorax with visible pleural line", "pleural air", "collapsed lung with pneumothorax",
    ),
}  # fmt: skip

DEVICE_NOUNS: Mapping[str, tuple[str, ...]] = {
    "pacemaker": ("pacemaker", "pacemaker device", "dual-lead pacemaker", "cardiac pacing device"),
    "central line": ("central venous catheter", "central line", "central venous line"),
    "endotracheal tube": ("endotracheal tube", "endotracheal tube in place"),
}

DEGREES: Mapping[str, tuple[str, ...]] = {
    "small": ("small", "minimal", "mild", "tiny", "trace"),
    "moderate": ("moderate", "moderate-sized", "medium-sized"),
    "large": ("large", "extensive", "severe", "massive"),
}
DIFFUSE_DEGREES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Cardiomegaly": {"small": ("mild",), "moderate": ("moderate",), "large": ("severe", "marked")},
    "Edema": {"small": ("mild",), "moderate": ("moderate",), "large": ("severe", "florid")},
}

ZONE_NOUNS: Mapping[str, tuple[str, ...]] = {
    "upper": ("{side} upper lobe", "{side} upper lung", "{side} upper zone", "{side} upper lung zone"),
    "middle": ("{side} mid lung", "{side} mid zone", "{side} middle zone", "{side} midlung"),
    "lower": ("{side} lower lobe", "{side} lower lung", "{side} lower zone", "{side} lower lung zone"),
    "perihilar": ("{side} perihilar region", "{side} hilar region"),
    "apical": ("{side} lung apex", "{side} apex", "{side} apical region"),
    "basal": ("{side} lung base", "{side} base", "{side} basilar region"),
    "retrocardiac": ("{side} retrocardiac region", "{side} lung behind the heart", "{side} retrocardiac area"),
}
# Lobes that only one side has.
LOBES: Mapping[tuple[str, str], str] = {("right", "middle"): "right middle lobe", ("left", "middle"): "left lingula"}
ZONE_ADJECTIVES: Mapping[str, str] = {
    "upper": "upper lobe", "middle": "mid lung", "lower": "lower lobe", "perihilar": "perihilar", "apical": "apical",
    "basal": "basilar", "retrocardiac": "retrocardiac",
}  # fmt: skip
# Zones of both sides in one word.
BOTH: Mapping[str, str] = {
    "basal": "bibasilar", "apical": "biapical", "upper": "bilateral upper lobe", "lower": "bilateral lower lobe",
    "perihilar": "bilateral perihilar", "middle": "bilateral mid lung",
}  # fmt: skip  # fmt: skip

NORMAL = {
    "Cardiomegaly": ("The heart size is normal.", "The cardiac silhouette is within normal limits."),
    "Pleural Effusion": ("No pleural effusion.", "There is no pleural effusion.", "The costophrenic angles are sharp."),
    "Pneumothorax": ("No pneumothorax.", "There is no evidence of pneumothorax."),
    "Consolidation": ("No focal consolidation.", "There is no focal airspace consolidation."),
    "Edema": ("No pulmonary edema.", "The pulmonary vasculature is normal."),
    "Pneumonia": ("No evidence of pneumonia.",),
    "Support Devices": ("No lines or tubes.",),
}

OPENINGS = ("evidence of ", "findings consistent with ", "appearance of ")
# Where one of these is present, a report denies none of the others.
AIRSPACE = {"Consolidation", "Pneumonia", "Lung Opacity"}


@dataclass(frozen=True)
class Facts:
    """What is true of a finding and may be said of it.

    Args:
        category: finding class.
        side: "left", "right", "bilateral" or "midline".
        zone: normal form of the zone, or None.
        severity: "small", "moderate", "large", or None where findings that are named together differ in it.
        kind: of a device.
    """

    category: str
    side: str
    zone: str | None = None
    severity: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Saying:
    """A phrase, and what it states.

    Args:
        text: the phrase.
        attributes: what the text itself says, as "category:…", "side:…", "zone:…", "severity:…", "kind:…"; sorted.
    """

    text: str
    attributes: tuple[str, ...]

    @property
    def names_place(self) -> bool:
        """Whether the text names a side or a zone."""
        return any(name.startswith(("side:", "zone:")) for name in self.attributes)


def describe(facts: Facts, rng: np.random.Generator, *, say_place: bool) -> Saying:
    """One of many ways to say it, with side and zone only if `say_place`."""
    if facts.category == "Support Devices":
        return _finished(_device(facts, rng, say_place), rng)
    noun = _pick(rng, NOUNS[facts.category])
    said = {f"category:{facts.category}"}
    degree = ""
    if facts.severity and rng.random() < 0.45 and not noun.startswith("the "):
        degree = _pick(rng, DIFFUSE_DEGREES.get(facts.category, DEGREES)[facts.severity])
    if facts.category in DIFFUSE_DEGREES or not say_place:
        text, placed = f"{degree} {noun}", set[str]()
    else:
        text, placed = _placed(facts, rng, noun, degree)
    if degree and degree in text:
        said.add(f"severity:{facts.severity}")
    return _finished(Saying(" ".join(text.split()), tuple(sorted(said | placed))), rng)


def _placed(facts: Facts, rng: np.random.Generator, noun: str, degree: str) -> tuple[str, set[str]]:
    """A text that says the side, perhaps the zone, and which of them it says."""
    side, said = facts.side, {f"side:{facts.side}"}
    if side == "bilateral":
        if facts.zone is not None and facts.zone in BOTH and rng.random() < 0.5:
            plural = "effusions" if facts.category == "Pleural Effusion" else noun
            return f"{degree} {BOTH[facts.zone]} {plural}", said | {f"zone:{facts.zone}"}
        return _pick(rng, _bilateral(facts.category, noun, degree)), said
    if facts.category == "Pleural Effusion":
        text = _pick(rng, (
            f"{degree} {side} {noun}", f"{degree} {side}-sided {noun}", f"{degree} {noun} on the {side}",
            f"blunting of the {side} costophrenic angle", f"fluid in the {side} pleural space",
            f"{degree} {noun} at the {side} base",
        ))  # fmt: skip
        return text, said | ({"zone:basal"} if text.endswith(("base", "angle")) else set())
    if facts.zone is not None and rng.random() < 0.65:
        lobe = LOBES.get((side, facts.zone))
        where = lobe if lobe and rng.random() < 0.35 else _pick(rng, ZONE_NOUNS[facts.zone]).format(side=side)
        text = _pick(rng, (
            f"{degree} {noun} in the {where}", f"{degree} {side} {ZONE_ADJECTIVES[facts.zone]} {noun}",
            f"{degree} {noun} at the {where}", f"{degree} {where} {noun}",
        ))  # fmt: skip
        return text, said | {f"zone:{facts.zone}"}
    text = _pick(rng, (
        f"{degree} {noun} in the {side} lung", f"{degree} {side} {noun}", f"{degree} {noun} on the {side}",
        f"{degree} {side}-sided {noun}",
    ))  # fmt: skip
    return text, said


def _bilateral(category: str, noun: str, degree: str) -> tuple[str, ...]:
    if category == "Pleural Effusion":
        return (
            f"bilateral {degree} pleural effusions", f"{degree} bilateral effusions", f"{degree} effusions bilaterally",
            "pleural effusions on both sides",
        )  # fmt: skip
    return f"{degree} bilateral {noun}", f"{noun} in both lungs", f"{noun} on both sides"


def _device(facts: Facts, rng: np.random.Generator, say_place: bool) -> Saying:
    noun = _pick(rng, DEVICE_NOUNS[str(facts.kind)])
    said = {f"category:{facts.category}", f"kind:{facts.kind}"}
    if not say_place or facts.side not in ("left", "right"):
        article = "an" if noun[0] in "aeiou" else "a"
        return Saying(_pick(rng, (noun, f"{article} {noun}")), tuple(sorted(said)))
    said.add(f"side:{facts.side}")
    text = _pick(rng, (f"{facts.side} {noun}", f"{facts.side}-sided {noun}", f"{noun} on the {facts.side}"))
    return Saying(text, tuple(sorted(said)))


def _finished(saying: Saying, rng: np.random.Generator) -> Saying:
    """A quarter of the phrases are written as sentences, some with an opening."""
    clause = saying.text.startswith("the ") or "category:Support Devices" in saying.attributes
    if not clause and rng.random() < 0.10:
        saying = replace(saying, text=_pick(rng, OPENINGS) + saying.text)
    if rng.random() < 0.25:
        return replace(saying, text=f"{saying.text[0].upper()}{saying.text[1:]}.")
    return saying


def _pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    return options[int(rng.integers(len(options)))]


def sample_phrases(count: int, seed: int) -> list[tuple[str, tuple[str, ...]]]:
    """Phrases of the same grammar without images: (text, attributes), thousands a second."""
    rng = np.random.default_rng(seed)
    sayings = (describe(_any_facts(rng), rng, say_place=bool(rng.random() < 0.6)) for _ in range(count))
    return [(saying.text, saying.attributes) for saying in sayings]


def _any_facts(rng: np.random.Generator) -> Facts:
    category = _pick(rng, CATEGORIES)
    one_side = category in ("Support Devices", "Pneumothorax")
    side = _pick(rng, ("left", "right") if one_side else ("left", "right", "left", "right", "bilateral"))
    zone = _pick(rng, tuple(ZONE_NOUNS))
    if zone == "retrocardiac" and side != "left":
        zone = "lower"
    if category == "Pneumothorax" and zone != "apical":
        zone = "basal"
    if category == "Pleural Effusion":
        zone = "basal"
    kind = _pick(rng, tuple(DEVICE_NOUNS))
    if category == "Support Devices" and kind == "endotracheal tube":
        side = "midline"
    return Facts(category, side, zone, _pick(rng, tuple(DEGREES)), kind)


def report(said: Sequence[Saying], rng: np.random.Generator, *, unnamed: Sequence[str] = ()) -> str:
    """A report with findings and impression, normal and negated sentences among the positive ones.

    Args:
        said: what is found.
        rng: chooses the words.
        unnamed: categories that the image shows without a phrase; they are not denied either.
    """
    present = {name.partition(":")[2] for one in said for name in one.attributes if name.startswith("category:")}
    present |= set(unnamed) | ({"Consolidation", "Pneumonia"} if present & AIRSPACE else set())
    absent = [category for category in NORMAL if category not in present and rng.random() < 0.7]
    positive = [_sentence(one.text) for one in said]
    findings = [*positive, *(_pick(rng, NORMAL[category]) for category in absent)]
    order = rng.permutation(len(findings))
    findings = [findings[i] for i in order] or ["The lungs are clear."]
    impression = positive or ["No acute cardiopulmonary process."]
    numbered = impression if len(impression) == 1 else [f"{i}. {text}" for i, text in enumerate(impression, start=1)]
    return f"FINDINGS: {' '.join(findings)}\n\nIMPRESSION: {' '.join(numbered)}\n"


def _sentence(text: str) -> str:
    text = text[0].upper() + text[1:]
    return text if text.endswith(".") else f"{text}."
