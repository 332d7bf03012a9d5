"""``groundings.json``: the document that the command line also prints with ``--json``. See docs/output.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from deixis.radiology import GroundedMention, GroundedReport
from deixis.types import Box, Grounding, HeatMap, Provenance
from deixis.writers.aside import write_bytes
from deixis.writers.naming import numbered
from deixis.writers.row import Writer

SCHEMA = "deixis.groundings/1"
FILE_NAME = "groundings.json"


@dataclass(frozen=True)
class HeatEntry:
    """A heat map in numbers.

    Args:
        peak: its largest value where the model looked.
        peak_at: x and y of the centre of the pixel that has it.
        seen: share of the image that the model looked at.
    """

    peak: float
    peak_at: tuple[float, float]
    seen: float


@dataclass(frozen=True)
class ProvenanceEntry:
    """How the answer came about, see `deixis.types.Provenance`."""

    model: str
    weights_sha256: str
    recipe: str
    seed: int
    versions: Mapping[str, str]
    seconds: float
    unet_evaluations: int
    notices: tuple[str, ...]


@dataclass(frozen=True)
class GroundingEntry:
    """One phrase.

    Args:
        phrase: the text as it was given to the model.
        span: characters ``[start, end)`` whose words were read, or None for all.
        category: finding class, or None.
        laterality: "left", "right", "bilateral" or None.
        boxes: best first, x0 y0 x1 y1 in native pixels, half-open, with score.
        mask_area: pixels in the mask.
        heat: the heat map in numbers.
        files: names of the phrase's files in the image's folder.
        stability: how far the answers of each half of the noise levels agree, 0 to 1, or None where it was not asked.
        agreement: how far the answers of each kind of evidence agree, 0 to 1, or None where the recipe reads one only.
        presence: experimental score of the finding being there, 0 to 1, or None where it is not known.
        provenance: how the answer came about.
    """

    phrase: str
    span: tuple[int, int] | None
    category: str | None
    laterality: str | None
    boxes: tuple[Box, ...]
    mask_area: int
    heat: HeatEntry
    files: tuple[str, ...]
    stability: float | None
    agreement: float | None
    presence: float | None
    provenance: ProvenanceEntry


@dataclass(frozen=True)
class MentionEntry:
    """A finding that the report names, see `deixis.radiology.Mention`.

    Args:
        start: first character of its name in the report's text.
        end: one past its last.
        status: "present", "absent", "uncertain" or "prior".
        category: finding class.
        laterality: "left", "right", "bilateral" or None.
        zones: parts of the lung.
        phrase: what it was looked for by, or would have been.
        grounding: its place in the image's `groundings`, counted from 0, or None.
        reason: why it has none, or None.
    """

    start: int
    end: int
    status: str
    category: str
    laterality: str | None
    zones: tuple[str, ...]
    phrase: str
    grounding: int | None
    reason: str | None


@dataclass(frozen=True)
class SentenceEntry:
    """A sentence of the report: its characters, its section ("" for none), and what it names."""

    start: int
    end: int
    section: str
    mentions: tuple[MentionEntry, ...]


@dataclass(frozen=True)
class ReportEntry:
    """A whole report that was asked; all offsets are characters of its text."""

    text: str
    sentences: tuple[SentenceEntry, ...]


@dataclass(frozen=True)
class ImageEntry:
    """One image and what was found in it.

    Args:
        source: the file as it was named, or None.
        shape: height and width in native pixels.
        spacing: row and column spacing in millimetres, or None.
        notices: what reading the image had to do.
        view: "frontal", "lateral" or None.
        laterality: "left", "right", "bilateral" or None.
        folder: name of the folder with its files, or None where none were written.
        files: names of files there that belong to the image, not to one phrase.
        groundings: one per phrase, in the order asked.
        report: the report that was asked, or None.
    """

    source: str | None
    shape: tuple[int, int]
    spacing: tuple[float, float] | None
    notices: tuple[str, ...]
    view: str | None
    laterality: str | None
    folder: str | None
    files: tuple[str, ...]
    groundings: tuple[GroundingEntry, ...]
    report: ReportEntry | None = None


@dataclass(frozen=True)
class FailureEntry:
    """An image that could not be grounded, and why."""

    source: str
    error: str


@dataclass(frozen=True)
class Document:
    """The whole of it; in ``groundings.json`` with one image."""

    images: tuple[ImageEntry, ...]
    failures: tuple[FailureEntry, ...] = ()
    schema: str = field(default=SCHEMA)

    def text(self) -> str:
        """As JSON: UTF-8, numbers finite, ending with a newline."""
        fields = asdict(self)
        ordered = {"schema": fields.pop("schema"), **fields}
        return json.dumps(ordered, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def image_entry(
    groundings: Sequence[Grounding],
    folder: str | None = None,
    files: Sequence[str] = (),
    report: GroundedReport | None = None,
) -> ImageEntry:
    """The entry of one image.

    Args:
        groundings: of one image, at least one where there is no report.
        folder: name of the folder with its files.
        files: the names of the files in it.
        report: a report that was asked of the image, its groundings among the others.
    """
    image = groundings[0].image if report is None else report.image
    names = numbered(groundings)
    mine = tuple(tuple(file for file in sorted(files) if file.startswith(f"{name}.")) for name in names)
    taken = {FILE_NAME, *(file for of_phrase in mine for file in of_phrase)}
    return ImageEntry(
        source=None if image.source is None else str(image.source),
        shape=image.shape,
        spacing=image.spacing,
        notices=image.notices,
        view=image.view,
        laterality=image.laterality,
        folder=folder,
        files=tuple(file for file in sorted(files) if file not in taken),
        groundings=tuple(_grounding_entry(one, own) for one, own in zip(groundings, mine, strict=True)),
        report=None if report is None else _report_entry(report, groundings),
    )


def write_json(groundings: Sequence[Grounding], folder: Path, stem: str) -> tuple[Path, ...]:
    """``groundings.json``, which also lists the files that are in the folder by then."""
    return _write(folder, image_entry(groundings, stem, _files(folder)))


def write_json_of_report(
    report: GroundedReport, groundings: Sequence[Grounding], folder: Path, stem: str
) -> tuple[Path, ...]:
    """``groundings.json`` with the report in it."""
    return _write(folder, image_entry(groundings, stem, _files(folder), report))


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def _write(folder: Path, entry: ImageEntry) -> tuple[Path, ...]:
    return (write_bytes(folder / FILE_NAME, Document((entry,)).text().encode()),)


def listed_files(folder: Path) -> frozenset[str]:
    """The files that an earlier run left in `folder`, by its own ``groundings.json``; none where that is not ours."""
    try:
        document = json.loads((folder / FILE_NAME).read_text(encoding="utf-8"))
        if not document["schema"].startswith(SCHEMA.rpartition("/")[0]):
            return frozenset()
        entries = [*document["images"], *(one for image in document["images"] for one in image["groundings"])]
        names = {FILE_NAME, *(str(name) for entry in entries for name in entry["files"])}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return frozenset()
    return frozenset(name for name in names if Path(name).name == name)


def _grounding_entry(grounding: Grounding, files: tuple[str, ...]) -> GroundingEntry:
    phrase = grounding.phrase
    return GroundingEntry(
        phrase=phrase.text,
        span=phrase.span,
        category=phrase.category,
        laterality=phrase.laterality,
        boxes=tuple(_plain(box) for box in grounding.boxes),
        mask_area=int(grounding.mask.sum()),
        heat=_heat_entry(grounding.heat),
        files=files,
        stability=_rounded(grounding.stability),
        agreement=_rounded(grounding.agreement),
        presence=_rounded(grounding.presence),
        provenance=_provenance_entry(grounding.provenance),
    )


def _report_entry(report: GroundedReport, groundings: Sequence[Grounding]) -> ReportEntry:
    places = {id(grounding): place for place, grounding in enumerate(groundings)}
    answers = iter(report.answers)
    return ReportEntry(
        text=report.report.text,
        sentences=tuple(
            SentenceEntry(
                sentence.start,
                sentence.end,
                sentence.section,
                tuple(_mention_entry(next(answers), places) for _ in sentence.mentions),
            )
            for sentence in report.report.sentences
        ),
    )


def _mention_entry(answer: GroundedMention, places: Mapping[int, int]) -> MentionEntry:
    mention = answer.mention
    return MentionEntry(
        start=mention.start,
        end=mention.end,
        status=mention.status,
        category=mention.category,
        laterality=mention.laterality,
        zones=mention.zones,
        phrase=mention.phrase,
        grounding=None if answer.grounding is None else places[id(answer.grounding)],
        reason=answer.reason or None,
    )


def _plain(box: Box) -> Box:
    """A box of Python's own floats, whatever numbers it was made of."""
    return Box(float(box.x0), float(box.y0), float(box.x1), float(box.y1), float(box.score))


def _heat_entry(heat: HeatMap) -> HeatEntry:
    looked = np.where(heat.seen, heat.values, -np.inf) if heat.seen.any() else heat.values
    y, x = np.unravel_index(int(looked.argmax()), looked.shape)
    return HeatEntry(float(heat.values[y, x]), (int(x) + 0.5, int(y) + 0.5), float(heat.seen.mean()))


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 4)


def _provenance_entry(provenance: Provenance) -> ProvenanceEntry:
    return ProvenanceEntry(
        model=provenance.model,
        weights_sha256=provenance.weights_sha256,
        recipe=provenance.recipe,
        seed=int(provenance.seed),
        versions=dict(provenance.versions),
        seconds=round(float(provenance.seconds), 4),
        unet_evaluations=int(provenance.unet_evaluations),
        notices=provenance.notices,
    )


JSON = Writer(write_json, last=True, write_report=write_json_of_report)
