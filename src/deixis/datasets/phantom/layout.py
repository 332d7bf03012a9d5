"""Phantoms as a dataset: as cases in memory, and as a folder in the layout of MS-CXR and MIMIC-CXR-JPG."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from jaxtyping import Bool, Float32

from deixis.datasets.phantom.anatomy import Style
from deixis.datasets.phantom.phrases import CATEGORIES
from deixis.datasets.phantom.scene import PlantedPhrase, Scene, scene
from deixis.errors import OutputError
from deixis.types import Case, Image, Phrase

# Training draws below the first, choices are made below the second, results are reported from it on.
VALIDATION_SEED, TEST_SEED = 900_000, 1_000_000
RELEASE = "1.1.0"  # of MS-CXR, whose file names and columns are followed
COLUMNS = (
    "dicom_id", "category_name", "label_text", "path", "x", "y", "w", "h", "image_width", "image_height", "split",
)  # fmt: skip


def split_of(seed: int) -> str:
    """Whether a seed is for "train", "val" or "test"; disjoint by construction."""
    if seed < VALIDATION_SEED:
        return "train"
    return "val" if seed < TEST_SEED else "test"


def cases(
    seeds: Iterable[int], size: int = 256, *, findings: tuple[int, int] = (1, 3), style: Style | None = None
) -> Iterator[Case]:
    """Every phrase of every phantom as a `Case`, the phantoms of one seed next to each other."""
    for seed in seeds:
        drawn = scene(seed, size, findings=findings, style=style)
        image = Image(drawn.pixels, (drawn.spacing, drawn.spacing))
        for number, phrase in enumerate(drawn.phrases):
            yield _case(seed, number, phrase, image)


def _case(seed: int, number: int, phrase: PlantedPhrase, image: Image) -> Case:
    return Case(
        id=f"phantom-{seed}-{number}",
        image=image,
        phrase=Phrase(phrase.text, category=phrase.category),
        category=phrase.category,
        boxes=phrase.boxes,
        shape=image.shape,
        mask=phrase.mask,
        split=split_of(seed),
        patient=str(seed),
        names_place=phrase.names_place,
        rows=(f"seed {seed}, phrase {number}",),
    )


@dataclass(frozen=True)
class Names:
    """Where a phantom lies in the folder; every name follows from the seed."""

    dicom_id: str
    image: str
    report: str

    @classmethod
    def of(cls, seed: int) -> Names:
        """MIMIC-CXR's pattern: subject and study numbers of eight digits, an image id of five hexadecimal words."""
        digest = hashlib.sha256(f"phantom {seed}".encode()).hexdigest()
        dicom_id = "-".join(digest[i : i + 8] for i in range(0, 40, 8))
        subject, study = f"p{10_000_000 + seed}", f"s{50_000_000 + seed}"
        folder = f"files/{subject[:3]}/{subject}"
        return cls(dicom_id, f"{folder}/{study}/{dicom_id}.jpg", f"{folder}/{study}.txt")


def write_set(folder: Path, seeds: Iterable[int], size: int = 256, *, findings: tuple[int, int] = (0, 4)) -> int:
    """Write phantoms as MS-CXR has them: JPEG, report texts, alignment table as CSV and COCO JSON, and masks.

    Gives how many images were written. The tables are written last, so a folder with them is complete.

    Raises:
        OutputError: the folder holds something already, or cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise OutputError(f"The folder {folder.name} is not empty. Choose a new one for the phantoms.")
        rows: list[dict[str, Any]] = []
        written = 0
        for seed in seeds:
            rows.extend(_write_phantom(folder, scene(seed, size, findings=findings)))
            written += 1
        _write_tables(folder, rows)
    except OSError as error:
        raise OutputError(f"Cannot write to {folder.name}: {error.strerror}. Choose another folder.") from error
    return written


def _write_phantom(folder: Path, drawn: Scene) -> list[dict[str, Any]]:
    """Image, report and masks of one phantom; its rows of the table, one per box."""
    names = Names.of(drawn.seed)
    image = folder / names.image
    image.parent.mkdir(parents=True, exist_ok=True)
    _picture(drawn.pixels).save(image, quality=95)
    (folder / names.report).write_text(drawn.report, encoding="utf-8")
    height, width = drawn.pixels.shape
    rows = []
    for number, phrase in enumerate(drawn.phrases):
        mask = folder / "masks" / f"{names.dicom_id}-{number}.png"
        mask.parent.mkdir(exist_ok=True)
        _picture(phrase.mask).save(mask)
        for box in phrase.boxes:
            corner = (int(box.x0), int(box.y0), int(box.x1 - box.x0), int(box.y1 - box.y0))
            values = (names.dicom_id, phrase.category, phrase.text, names.image, *corner, width, height)
            rows.append(dict(zip(COLUMNS, (*values, split_of(drawn.seed)), strict=True)))
    return rows


def _picture(pixels: Float32[np.ndarray, "y x"] | Bool[np.ndarray, "y x"]) -> PIL.Image.Image:
    return PIL.Image.fromarray(np.round(pixels * 255.0).astype(np.uint8))


def _write_tables(folder: Path, rows: list[dict[str, Any]]) -> None:
    stem = folder / f"MS_CXR_Local_Alignment_v{RELEASE}"
    stem.with_name(stem.name + ".json").write_text(json.dumps(_coco(rows), indent=1), encoding="utf-8")
    with stem.with_name(stem.name + ".csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)


def _coco(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The same rows as a COCO object, with the split on every annotation as MS-CXR 1.1.0 has it."""
    numbers = {dicom_id: i for i, dicom_id in enumerate(dict.fromkeys(row["dicom_id"] for row in rows), start=1)}
    first = {row["dicom_id"]: row for row in reversed(rows)}
    return {
        "info": {"version": RELEASE, "description": "deixis phantoms, synthetic"},
        "categories": [{"id": i, "name": name} for i, name in enumerate(CATEGORIES, start=1)],
        "images": [
            {
                "id": number, "file_name": f"{dicom_id}.jpg", "width": first[dicom_id]["image_width"],
                "height": first[dicom_id]["image_height"], "path": first[dicom_id]["path"],
            }
            for dicom_id, number in numbers.items()
        ],
        "annotations": [
            {
                "id": i, "image_id": numbers[row["dicom_id"]],
                "category_id": CATEGORIES.index(row["category_name"]) + 1,
                "bbox": [row["x"], row["y"], row["w"], row["h"]], "label_text": row["label_text"],
                "split": row["split"],
            }
            for i, row in enumerate(rows, start=1)
        ],
    }  # fmt: skip
