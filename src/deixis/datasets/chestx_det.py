"""ChestX-Det and ChestX-Det10 (Lian et al., 2021): findings in NIH images with boxes, the larger set with polygons."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool

from deixis.datasets.annotations import Annotation, Decode, assembled, by_template, root_of
from deixis.datasets.collection import Collection, Dataset, Note, Wanted
from deixis.datasets.rle import polygon_mask, resized_mask
from deixis.datasets.tables import json_of, numbers, shaped
from deixis.errors import CaseError

TABLES = {"train": ("ChestX_Det_train.json", "train.json"), "test": ("ChestX_Det_test.json", "test.json")}
# Drawn in images of this size.
SIDE = 1024


def read(wanted: Wanted) -> Collection:
    """Findings of a split, by default of those whose tables are there; option "truth" = "polygons" takes those."""
    root = root_of(wanted, "chestx-det")
    splits = [wanted.split] if wanted.split else list(TABLES)
    tables = {s: next((root / n for n in TABLES.get(s, ()) if (root / n).is_file()), None) for s in splits}
    if not any(tables.values()):
        names = [name for split in splits for name in TABLES.get(split, ())]
        raise CaseError(f"{root} holds no table of ChestX-Det: sought {', '.join(names)}.")
    notes: list[Note] = []
    drawn = wanted.options.get("truth") == "polygons"
    rows = [row for split, file in tables.items() if file for row in _rows(file, split, notes, polygons=drawn)]
    return assembled("chestx-det", rows, wanted, notes, templated=True)


def _rows(file: Path, split: str, notes: list[Note], *, polygons: bool) -> Iterator[Annotation]:
    content = json_of(file)
    with shaped(file, "list of images of ChestX-Det"):
        for number, one in enumerate(content):
            name, labels, boxes = str(one.get("file_name", "")), one.get("syms") or [], one.get("boxes") or []
            if not labels:
                notes.append(Note("no finding", f"{file.name}:{number}", name))
            outlines = one.get("polygons") or [None] * len(boxes)
            for label, box, outline in zip(labels, boxes, outlines, strict=False):
                place = f"{file.name}:{number} {label}"
                corners = numbers(list(box), place, notes)
                if corners is None or len(corners) != 4:
                    continue
                shown = polygons and outline is not None
                decode: Decode | None = partial(_outlined, outline) if shown else None
                yield Annotation(
                    image=name,
                    files=(
                        f"{split}_data/{split}/{name}",
                        f"{split}_data/{name}",
                        f"{split}/{name}",
                        f"images/{name}",
                        name,
                    ),
                    category=str(label),
                    text=by_template(str(label)),
                    row=place,
                    box=None if shown else (corners[0], corners[1], corners[2], corners[3]),
                    decode=decode,
                    size=(SIDE, SIDE),
                    split=split,
                    patient=name.partition("_")[0] or None,
                )


def _outlined(points: list[list[float]], shape: tuple[int, int]) -> Bool[np.ndarray, "y x"]:
    return resized_mask(polygon_mask(points, (SIDE, SIDE)), shape)


CHESTX_DET = Dataset(
    name="chestx-det",
    summary="13 findings in 3,578 NIH images, boxes and polygons",
    truth="class and boxes or polygons, phrase by template",
    gate="",
    layout=("ChestX_Det_{train,test}.json (or {train,test}.json)", "{train,test}_data/….png"),
    read=read,
)
