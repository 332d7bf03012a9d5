"""From rows of annotation files to cases: images found, phrases grouped, boxes checked, and everything odd noted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import PIL.Image
from jaxtyping import Bool

from deixis.datasets.collection import Collection, Note, Trouble, Wanted
from deixis.datasets.places import names_place
from deixis.errors import CaseError
from deixis.types import Box, Case, Phrase

# Decodes a mask for an image of that height and width.
Decode = Callable[[tuple[int, int]], Bool[np.ndarray, "y x"]]
# The phrase for a class where a dataset has no phrases: what is named in the report.
TEMPLATE = "{label}"


@dataclass(frozen=True)
class Annotation:
    """One row: something in one image.

    Args:
        image: the dataset's own id of the image.
        files: where the image may lie under the root, the likeliest first.
        category: finding class.
        text: the phrase.
        row: where this stands in the file, for notes.
        box: x0 y0 x1 y1 in pixels of an image of `size`; shares of its sides where `relative`.
        decode: gives the mask, for datasets of masks.
        size: height and width that the row claims; None where it does not say.
        relative: whether box coordinates are shares of the image's sides.
        split: "train", "val" or "test", where known.
        patient: where known.
    """

    image: str
    files: tuple[str, ...]
    category: str
    text: str
    row: str
    box: tuple[float, float, float, float] | None = None
    decode: Decode | None = None
    size: tuple[int, int] | None = None
    relative: bool = False
    split: str | None = None
    patient: str | None = None


def by_template(label: str) -> str:
    """A class as a phrase: its name in lower case."""
    return TEMPLATE.format(label=label.replace("_", " ").strip().lower())


def root_of(wanted: Wanted, name: str) -> Path:
    """The dataset's folder; none given, or no folder, raises `CaseError`."""
    if wanted.root is None:
        raise CaseError(f"The dataset {name!r} needs the folder that holds it: --root DIR.")
    if not wanted.root.is_dir():
        raise CaseError(f"The root {wanted.root} of {name!r} is no folder.")
    return wanted.root


def one_of(root: Path, names: Iterable[str], what: str) -> Path:
    """The first of the files that is there; none raises `CaseError` that lists them."""
    tried = tuple(names)
    found = next((root / name for name in tried if (root / name).is_file()), None)
    if found is None:
        raise CaseError(f"{root} holds no {what}: sought {', '.join(tried)}.")
    return found


def assembled(
    name: str, annotations: Iterable[Annotation], wanted: Wanted, notes: Iterable[Note] = (), *, templated: bool = False
) -> Collection:
    """Cases of the rows, one per image and phrase, in the order of the file; see `Annotation` and `Note`."""
    root = root_of(wanted, name)
    table = _Assembly(name, root, list(notes))
    for annotation in annotations:
        if wanted.split in {None, annotation.split}:
            table.add(annotation)
    makers = table.makers()
    told = f'template "{TEMPLATE}", lower case' if templated else "the dataset's own"
    return Collection(makers if wanted.limit is None else makers[: wanted.limit], tuple(table.notes), told)


class _Assembly:
    """Rows by image and phrase, with notes for what is odd about them."""

    def __init__(self, name: str, root: Path, notes: list[Note]) -> None:
        self.name, self.root, self.notes = name, root, notes
        self.found: dict[str, Path | None] = {}
        self.groups: dict[str, dict[str, list[Annotation]]] = {}

    def note(self, trouble: Trouble, annotation: Annotation, detail: str) -> None:
        self.notes.append(Note(trouble, annotation.row, detail))

    def add(self, annotation: Annotation) -> None:
        if annotation.image not in self.found:
            self.found[annotation.image] = self._file(annotation)
        if self.found[annotation.image] is None:
            self.note("image missing", annotation, annotation.files[0])
            return
        phrases = self.groups.setdefault(annotation.image, {})
        rows = phrases.setdefault(annotation.text, [])
        if any(replace(annotation, row=other.row) == other for other in rows):
            self.note("duplicate", annotation, annotation.text)
            return
        rows.append(annotation)

    def makers(self) -> tuple[Callable[[], Case], ...]:
        made = []
        for image, phrases in self.groups.items():
            file = self.found[image]
            for number, rows in enumerate(phrases.values()):
                made += [] if file is None else self._made(f"{self.name}-{image}-{number}", file, rows)
        return tuple(made)

    def _file(self, annotation: Annotation) -> Path | None:
        return next((self.root / file for file in annotation.files if (self.root / file).is_file()), None)

    def _made(self, id_: str, file: Path, rows: list[Annotation]) -> list[Callable[[], Case]]:
        try:
            shape = image_shape(file)
        # Pillow and pydicom each have errors of their own for a broken file.
        except (OSError, ValueError, AttributeError, CaseError) as error:
            for row in rows:
                self.note("image unreadable", row, str(error).split("\n", maxsplit=1)[0])
            return []
        boxes = tuple(box for row in rows if (box := self._box(row, shape)) is not None)
        decoders = tuple(row.decode for row in rows if row.decode is not None)
        if not boxes and not decoders:
            self.note("no truth", rows[0], rows[0].text)
            return []
        first = rows[0]
        plain = partial(
            Case,
            id=id_,
            image=file,
            phrase=Phrase(first.text, category=first.category),
            category=first.category,
            boxes=boxes,
            shape=shape,
            split=first.split,
            patient=first.patient,
            names_place=names_place(first.text),
            rows=tuple(row.row for row in rows),
        )
        return [partial(_with_mask, plain, decoders, shape) if decoders else plain]

    def _box(self, row: Annotation, shape: tuple[int, int]) -> Box | None:
        """The row's box in the image's own pixels, clipped to it; None with a note where nothing is left."""
        if row.box is None:
            return None
        height, width = shape
        said = (1, 1) if row.relative else row.size or shape
        if not row.relative and said != shape:
            self.note("size differs", row, f"{said[1]}×{said[0]} said, {width}×{height} is")
        across, down = width / said[1], height / said[0]
        x0, y0, x1, y1 = row.box[0] * across, row.box[1] * down, row.box[2] * across, row.box[3] * down
        if not (x0 < x1 and y0 < y1):
            self.note("box empty", row, str(row.box))
            return None
        inside = (max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))
        if not (inside[0] < inside[2] and inside[1] < inside[3]):
            self.note("box outside", row, str(row.box))
            return None
        # Shares are rounded in files: a thousandth of a pixel beyond the edge is no news.
        if max(abs(a - b) for a, b in zip(inside, (x0, y0, x1, y1), strict=True)) > 1e-3:
            self.note("box clipped", row, str(row.box))
        return Box(*inside)


def _with_mask(plain: Callable[..., Case], decoders: tuple[Decode, ...], shape: tuple[int, int]) -> Case:
    mask = np.zeros(shape, dtype=np.bool_)
    for decode in decoders:
        mask |= decode(shape)
    return plain(mask=mask)


@lru_cache(maxsize=200_000)
def image_shape(file: Path) -> tuple[int, int]:
    """Height and width of an image, from its header."""
    if file.suffix.lower() in {".dcm", ".dicom", ""}:
        import pydicom

        header = pydicom.dcmread(file, stop_before_pixels=True, force=True)
        return int(header.Rows), int(header.Columns)
    with PIL.Image.open(file) as opened:
        return opened.height, opened.width
