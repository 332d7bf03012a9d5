"""Groundings made by hand."""

from pathlib import Path

import numpy as np

from deixis.language import read_report
from deixis.radiology import GroundedMention, GroundedReport
from deixis.types import Box, Grounding, HeatMap, Image, Phrase, Provenance

NOTICE = "planted, not real"


def grounding(
    phrase: str | Phrase = "right pleural effusion",
    shape: tuple[int, int] = (60, 80),
    *,
    source: Path | None = Path("scans/chest.png"),
    unseen: int = 10,
    boxes: tuple[Box, ...] | None = None,
    notices: tuple[str, ...] = (NOTICE,),
) -> Grounding:
    """A hot spot with its box, on an image whose `unseen` outer columns the model did not look at."""
    height, width = shape
    ys, xs = np.mgrid[0:height, 0:width]
    y, x = height * 0.6, width * 0.4
    values = np.exp(-((ys + 0.5 - y) ** 2 + (xs + 0.5 - x) ** 2) / (2 * (0.12 * height) ** 2)).astype(np.float32)
    seen = (xs >= unseen) & (xs < width - unseen)
    values = np.where(seen, values, 0).astype(np.float32)
    mask = values > 0.5
    if boxes is None:
        rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
        boxes = (Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1), 0.75),)
    pixels = (0.5 + 0.4 * np.sin(xs / 9) * np.cos(ys / 7)).astype(np.float32)
    image = Image(pixels, (0.2, 0.1), source, ("colour converted to grey",))
    provenance = Provenance("planted", "ab" * 32, "guided", 0, {"deixis": "0"}, 0.123456, 30, notices)
    asked = Phrase(phrase) if isinstance(phrase, str) else phrase
    return Grounding(image, asked, HeatMap(values, seen), mask, boxes, provenance)


def empty_grounding() -> Grounding:
    """Nothing found: no heat, no mask, no box."""
    plain = grounding("nothing")
    zero = np.zeros_like(plain.heat.values)
    return Grounding(plain.image, plain.phrase, HeatMap(zero, plain.heat.seen), zero > 0, (), plain.provenance)


REPORT = """FINDINGS: Small right pleural effusion with <b>basilar</b> atelectasis & more. No pneumothorax.
Edema cannot be excluded. The chest tube has been removed.

IMPRESSION: Small right pleural effusion. Cardiomegaly.
"""


def grounded_report(text: str = REPORT, **how) -> GroundedReport:
    """Every statement grounded at the same hot spot, but cardiomegaly, which is refused."""
    report = read_report(text)
    found: dict[str, Grounding] = {}
    answers = []
    for mention in report.mentions:
        if mention.status != "present":
            answers.append(GroundedMention(mention, None, f"it is {mention.status}"))
        elif mention.category == "Cardiomegaly":
            answers.append(GroundedMention(mention, None, "too long"))
        else:
            asked = Phrase(mention.phrase, None, mention.category, mention.laterality)
            answers.append(GroundedMention(mention, found.setdefault(mention.phrase, grounding(asked, **how))))
    image = next(iter(found.values()), grounding(**how)).image
    return GroundedReport(image, report, tuple(answers))
