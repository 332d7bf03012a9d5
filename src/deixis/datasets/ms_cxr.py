"""MS-CXR (Boecking et al., ECCV 2022): sentences of MIMIC-CXR's reports with boxes, as CSV or COCO JSON.

Versions 1.0.0 and 1.1.0 of its files; only the latter says splits. A row is a box: those of one image and sentence make
one case. Images lie under MIMIC-CXR-JPG or MIMIC-CXR, with or without ``files/``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from deixis.datasets.annotations import Annotation, assembled, root_of
from deixis.datasets.collection import Collection, Dataset, Note, Wanted
from deixis.datasets.tables import corner_box, csv_rows, json_of, numbers, shaped
from deixis.errors import CaseError

NAME = re.compile(r"MS_CXR_Local_Alignment_v\d+\.\d+\.\d+\.(?:csv|json)")
COLUMNS = ("dicom_id", "category_name", "label_text", "path", "x", "y", "w", "h", "image_width", "image_height")
SUBJECT = re.compile(r"\bp(\d{8})\b")


def read(wanted: Wanted) -> Collection:
    """The sentences of the newest table under the root, the CSV before the JSON; option "table" names another."""
    root = root_of(wanted, "ms-cxr")
    file = _table(root, wanted.options.get("table"))
    notes: list[Note] = []
    rows = _from_json(file, notes) if file.suffix == ".json" else _from_csv(file, notes)
    return assembled("ms-cxr", list(rows), wanted, notes)


def _table(root: Path, named: str | None) -> Path:
    if named is not None:
        file = root / named if not Path(named).is_absolute() else Path(named)
        if not file.is_file():
            raise CaseError(f"The table {file} is not there.")
        return file
    found = sorted((file for file in root.rglob("MS_CXR_*") if NAME.fullmatch(file.name)), key=_age)
    if not found:
        raise CaseError(f"{root} holds no MS_CXR_Local_Alignment_vX.Y.Z.csv or .json, also not further down.")
    return found[-1]


def _age(file: Path) -> tuple[str, bool]:
    return file.stem, file.suffix == ".csv"


def _from_csv(file: Path, notes: list[Note]) -> Iterator[Annotation]:
    for place, row in csv_rows(file, COLUMNS):
        sides = numbers([row["image_height"], row["image_width"]], place, notes)
        corner = numbers([row[name] for name in "xywh"], place, notes)
        if corner is not None and sides is not None:
            yield _annotation(row["path"], place, row, (corner, sides))


def _from_json(file: Path, notes: list[Note]) -> Iterator[Annotation]:
    content = json_of(file)
    with shaped(file, "COCO table of MS-CXR"):
        images = {image["id"]: image for image in content["images"]}
        categories = {category["id"]: category["name"] for category in content["categories"]}
        for number, one in enumerate(content["annotations"]):
            image, place = images[one["image_id"]], f"{file.name}:annotation {number}"
            corner = numbers(one["bbox"], place, notes)
            if corner is not None:
                told = {
                    "dicom_id": PurePosixPath(image["file_name"]).stem,
                    "category_name": categories[one["category_id"]],
                    "label_text": one["label_text"],
                    "split": one.get("split", ""),
                }
                yield _annotation(
                    image.get("path", image["file_name"]), place, told, (corner, (image["height"], image["width"]))
                )


def _annotation(path: str, place: str, told: Mapping[str, str], numbers_: tuple[tuple[float, ...], ...]) -> Annotation:
    """`told`: id, category, text and split; `numbers_`: x y w h, and the image's height and width."""
    corner, sides = numbers_
    subject = SUBJECT.search(path)
    return Annotation(
        image=told["dicom_id"],
        files=mimic_files(path),
        category=told["category_name"],
        text=told["label_text"],
        row=place,
        box=corner_box(corner),
        size=(int(sides[0]), int(sides[1])),
        split={"validate": "val", "": None}.get(told.get("split", ""), told.get("split", "")),
        patient=subject[1] if subject else None,
    )


def mimic_files(path: str) -> tuple[str, ...]:
    """Where an image of MIMIC-CXR may lie: as said, without ``files/``, and the same as DICOM."""
    bare = path.removeprefix("files/")
    stems = [str(PurePosixPath(one).with_suffix("")) for one in (path, bare, f"files/{bare}")]
    return tuple(dict.fromkeys(f"{stem}{suffix}" for suffix in (".jpg", ".dcm", ".png") for stem in stems))


MS_CXR = Dataset(
    name="ms-cxr",
    summary="sentences of MIMIC-CXR with boxes, 1.0.0 and 1.1.0",
    truth="phrase and boxes",
    gate="PhysioNet credentials",
    layout=("MS_CXR_Local_Alignment_vX.Y.Z.csv or .json", "files/p10/p…/s…/….jpg or .dcm"),
    read=read,
)
