"""What was found, as a table for people."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.cli import console

if TYPE_CHECKING:
    from deixis.types import Box
    from deixis.writers.json import ImageEntry


# What the statuses of a report's mentions without a grounding are called.
TOLD = {"present": "stated, not grounded", "absent": "denied", "uncertain": "left open", "prior": "past"}


def show_answers(images: Sequence[ImageEntry], output: Path) -> None:
    """Boxes of every phrase in every image, where the files are, and what has to be known of them."""
    rows = console.table(
        "image", "phrase", "boxes x0 y0 x1 y1 (score)", "stability", "agreement", "presence", "seconds"
    )
    for image in images:
        for found in image.groundings:
            figures = map(share, (found.stability, found.agreement, found.presence))
            rows.add_row(_name(image), found.phrase, told(found.boxes), *figures, f"{found.provenance.seconds:.2f}")
    console.results().print(rows)
    for image in images:
        for line in unasked(image):
            console.say(f"{_name(image)}: {line}")
    console.say("")
    for image in images:
        console.say(f"{_name(image)}: {output / image.folder if image.folder else 'nothing written'}")
        for notice in image.notices:
            console.note(f"{_name(image)}: {notice}")
    for notice in notices(images):
        console.say(notice)


def share(figure: float | None) -> str:
    """A figure from 0 to 1, or that it is not known."""
    return "–" if figure is None else f"{figure:.2f}"


def told(boxes: Sequence[Box]) -> str:
    """Boxes in whole pixels, one to a line, best first."""
    lines = [f"{box.x0:.0f} {box.y0:.0f} {box.x1:.0f} {box.y1:.0f} ({box.score:.2f})" for box in boxes]
    return "\n".join(lines) or "none"


def unasked(image: ImageEntry) -> list[str]:
    """What the report says that was not looked for, one line per kind: "denied: pneumothorax, edema"."""
    if image.report is None:
        return []
    mentions = [mention for sentence in image.report.sentences for mention in sentence.mentions]
    lines = []
    for status, told in TOLD.items():
        phrases = dict.fromkeys(one.phrase for one in mentions if one.status == status and one.grounding is None)
        if phrases:
            lines.append(f"{told}: {', '.join(phrases)}")
    return lines


def notices(images: Sequence[ImageEntry]) -> list[str]:
    """What the model's answers must carry, each once; what concerns one image is told with that image."""
    said = dict.fromkeys(
        notice
        for image in images
        for found in image.groundings
        for notice in found.provenance.notices
        if notice not in image.notices
    )
    return list(said)


def _name(image: ImageEntry) -> str:
    return Path(image.source).name if image.source else "image"
