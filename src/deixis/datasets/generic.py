"""Anybody's annotations: a CSV of our columns, or COCO with phrases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool

from deixis.datasets.annotations import Annotation, Decode, assembled, one_of, root_of
from deixis.datasets.collection import Collection, Dataset, Note, Wanted
from deixis.datasets.rle import coco_mask, polygon_mask, resized_mask
from deixis.datasets.tables import corner_box, csv_rows, json_of, numbers, shaped

COLUMNS = ("image", "phrase", "x0", "y0", "x1", "y1")
PHRASES = ("phrase", "caption", "label_text")
TABLE_CSV, TABLE_JSON = "cases.csv", "annotations.json"


def read_csv(wanted: Wanted) -> Collection:
    """``cases.csv`` (option "table" names another): image, phrase, x0, y0, x1, y1 in pixels, half-open; and, where
    they are there, category, split, patient.
    """
    root = root_of(wanted, "csv")
    file = one_of(root, (wanted.options.get("table", TABLE_CSV),), "table")
    notes: list[Note] = []
    return assembled("csv", list(_csv_rows(file, notes)), wanted, notes)


def _csv_rows(file: Path, notes: list[Note]) -> Iterator[Annotation]:
    for place, row in csv_rows(file, COLUMNS):
        corners = numbers([row[name] for name in COLUMNS[2:]], place, notes)
        if corners is None or not row["phrase"]:
            continue
        yield Annotation(
            image=row["image"],
            files=(row["image"], f"images/{row['image']}"),
            category=row.get("category") or "finding",
            text=row["phrase"],
            row=place,
            box=(corners[0], corners[1], corners[2], corners[3]),
            split=row.get("split") or None,
            patient=row.get("patient") or None,
        )


def read_coco(wanted: Wanted) -> Collection:
    """``annotations.json`` (option "table" names another): COCO whose annotations hold a phrase, caption or label_text;
    without one the category's name is the phrase. Boxes are x y width height; segmentations are taken with option
    "truth" = "masks".
    """
    root = root_of(wanted, "coco")
    file = one_of(root, (wanted.options.get("table", TABLE_JSON),), "table")
    notes: list[Note] = []
    masks = wanted.options.get("truth") == "masks"
    return assembled("coco", list(_coco_rows(file, notes, masks=masks)), wanted, notes)


def _coco_rows(file: Path, notes: list[Note], *, masks: bool) -> Iterator[Annotation]:
    content = json_of(file)
    with shaped(file, "COCO table"):
        images = {image["id"]: image for image in content["images"]}
        categories = {category["id"]: str(category["name"]) for category in content.get("categories", ())}
        for number, one in enumerate(content["annotations"]):
            image, place = images[one["image_id"]], f"{file.name}:annotation {number}"
            category = categories.get(one.get("category_id"), "finding")
            corner = numbers(one.get("bbox") or [], place, notes)
            decode = _segmentation(one, image) if masks else None
            if decode is None and (corner is None or len(corner) != 4):
                continue
            yield Annotation(
                image=str(image["file_name"]),
                files=(str(image["file_name"]), f"images/{image['file_name']}"),
                category=category,
                text=next((str(one[name]) for name in PHRASES if one.get(name)), category),
                row=place,
                box=None if decode is not None or corner is None else corner_box(corner),
                decode=decode,
                size=(int(image["height"]), int(image["width"])),
                split=one.get("split") or image.get("split"),
                patient=None if image.get("patient") is None else str(image["patient"]),
            )


def _segmentation(one: Mapping[str, Any], image: Mapping[str, Any]) -> Decode | None:
    """The annotation's mask: run-lengths, or polygons of x, y in turn; None where it has none."""
    segmentation = one.get("segmentation")
    if isinstance(segmentation, dict):
        return partial(_decoded, segmentation)
    if isinstance(segmentation, list) and segmentation:
        return partial(_drawn, segmentation, (int(image["height"]), int(image["width"])))
    return None


def _decoded(encoded: Mapping[str, Any], shape: tuple[int, int]) -> Bool[np.ndarray, "y x"]:
    return resized_mask(coco_mask(encoded), shape)


def _drawn(polygons: list[list[float]], size: tuple[int, int], shape: tuple[int, int]) -> Bool[np.ndarray, "y x"]:
    parts = [polygon_mask(list(zip(flat[::2], flat[1::2], strict=True)), size) for flat in polygons]
    mask = parts[0]
    for part in parts[1:]:
        mask = mask | part
    return resized_mask(mask, shape)


CSV = Dataset(
    name="csv",
    summary="your own table: image, phrase, x0, y0, x1, y1[, category, split, patient]",
    truth="phrase and boxes",
    gate="",
    layout=(TABLE_CSV, "images as it names them"),
    read=read_csv,
)
COCO = Dataset(
    name="coco",
    summary="your own COCO file, phrases on its annotations",
    truth="phrase and boxes or masks",
    gate="",
    layout=(TABLE_JSON, "images as it names them"),
    read=read_coco,
)
