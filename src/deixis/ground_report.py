"""A whole report in, a grounded report out: what it asserts is looked for, the rest is listed with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Float

from deixis.diffusion.kept import Trajectories
from deixis.ground import BATCH, View, as_image, open_image
from deixis.language import read_report
from deixis.radiology import GroundedMention, GroundedReport, Mention, RadiologyReport, Status
from deixis.recipes import DEFAULT, Recipe
from deixis.types import Grounding, Image, LatentModel, Phrase

# Why a mention that is not asserted has no grounding.
REASONS: Mapping[Status, str] = {
    "absent": "the report denies it",
    "uncertain": "the report leaves it open",
    "prior": "the report says that it is past",
}


def ground_report(
    image: str | Path | Image | Float[np.ndarray, "y x"],
    text: str | RadiologyReport,
    model: LatentModel | str | Path = "phantom",
    recipe: Recipe | str = DEFAULT,
    *,
    seed: int = 0,
    batch: int = BATCH,
    max_memory: int | None = None,
    kept: Trajectories | None = None,
) -> GroundedReport:
    """Where each finding that a report asserts lives in the image.

    Args:
        image: as `deixis.open_image` takes it; so are the arguments not named here.
        text: the report, or what `deixis.language.read_report` made of it.

    Raises:
        ReportError: the text is empty, too long, or no text.
        ImageError, ModelError, UnknownNameError: what cannot be read, loaded, or is not known.
    """
    report = read_report(text) if isinstance(text, str) else text
    opened = as_image(image)
    if not report.of_status("present"):
        return nothing_asserted(opened, report)
    view = open_image(opened, model, recipe, seed=seed, batch=batch, max_memory=max_memory, kept=kept)
    return report_in(view, report)


def report_in(view: View, report: RadiologyReport) -> GroundedReport:
    """The report grounded in an image that is open already. Mentions of one phrase share one grounding.

    A phrase that the model does not take is listed with the reason, and ends nothing.
    """
    asked = {_key(mention): mention for mention in reversed(report.of_status("present"))}
    phrases = {key: Phrase(one.phrase, None, one.category, one.laterality) for key, one in reversed(asked.items())}
    refused = {key: reason for key, phrase in phrases.items() if (reason := view.refusal(phrase)) is not None}
    taken = {key: phrase for key, phrase in phrases.items() if key not in refused}
    found = dict(zip(taken, view.find_all(tuple(taken.values())), strict=True))
    return GroundedReport(view.image, report, tuple(_answer(mention, found, refused) for mention in report.mentions))


def nothing_asserted(image: Image, report: RadiologyReport) -> GroundedReport:
    """The report beside an image in which nothing of it is to be looked for."""
    return GroundedReport(image, report, tuple(_answer(mention, {}, {}) for mention in report.mentions))


def _answer(mention: Mention, found: Mapping[str, Grounding], refused: Mapping[str, str]) -> GroundedMention:
    if mention.status != "present":
        return GroundedMention(mention, None, REASONS[mention.status])
    key = _key(mention)
    return GroundedMention(mention, found.get(key), refused.get(key, ""))


def _key(mention: Mention) -> str:
    """What two mentions must share to be one question."""
    return mention.phrase.casefold()
