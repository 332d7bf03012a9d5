"""PadChest-GR (de Castro et al., 2024): sentences of reports in English and Spanish, boxes as shares of the sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deixis.datasets.annotations import Annotation, assembled, root_of
from deixis.datasets.collection import Collection, Dataset, Note, Wanted
from deixis.datasets.tables import csv_rows, json_of, numbers, shaped
from deixis.errors import CaseError

LANGUAGES = ("en", "es")
SPLITS = {"validation": "val"}


def read(wanted: Wanted) -> Collection:
    """Sentences with boxes, in `wanted.language`; those without are noted."""
    root = root_of(wanted, "padchest-gr")
    if wanted.language not in LANGUAGES:
        raise CaseError(f"PadChest-GR has no sentences in {wanted.language!r}; it has {', '.join(LANGUAGES)}.")
    found = sorted(root.rglob("grounded_reports_*.json"))
    if not found:
        raise CaseError(f"{root} holds no grounded_reports_YYYYMMDD.json.")
    notes: list[Note] = []
    master = _master(root)
    rows = list(_rows(found[-1], master, wanted.language, notes))
    return assembled("padchest-gr", rows, wanted, notes)


def _master(root: Path) -> Mapping[str, tuple[str, str]]:
    """Split and patient by image; empty without a master table."""
    file = next(iter(sorted(root.rglob("master_table.csv"))), None)
    if file is None:
        return {}
    told = csv_rows(file, ("ImageID", "PatientID", "split"))
    return {row["ImageID"]: (SPLITS.get(row["split"], row["split"]), row["PatientID"]) for _, row in told}


def _rows(file: Path, master: Mapping[str, tuple[str, str]], language: str, notes: list[Note]) -> Iterator[Annotation]:
    content = json_of(file)
    with shaped(file, "list of studies of PadChest-GR"):
        for number, study in enumerate(content):
            image = str(study.get("ImageID", ""))
            for index, finding in enumerate(study.get("findings") or ()):
                place = f"{file.name}:study {number} finding {index}"
                yield from _finding(image, finding, place, master.get(image, ("", "")), language, notes)


def _finding(  # noqa: PLR0917 - one sentence and where it stands
    image: str, finding: Mapping[str, Any], place: str, told: tuple[str, str], language: str, notes: list[Note]
) -> Iterator[Annotation]:
    text = str(finding.get(f"sentence_{language}") or "").strip()
    boxes = finding.get("boxes") or []
    if not boxes or not text:
        notes.append(Note("no finding", place, text or "no sentence"))
        return
    labels = finding.get("labels") or ["unlabelled"]
    for box in boxes:
        corners = numbers(list(box), place, notes)
        if corners is not None and len(corners) == 4:
            yield Annotation(
                image=image,
                files=(f"Padchest_GR_files/{image}", f"PadChest_GR/{image}", f"images/{image}", image),
                category=str(labels[0]),
                text=text,
                row=place,
                box=(corners[0], corners[1], corners[2], corners[3]),
                relative=True,
                split=told[0] or None,
                patient=told[1] or None,
            )


PADCHEST_GR = Dataset(
    name="padchest-gr",
    summary="sentences with boxes, English and Spanish",
    truth="phrase and boxes",
    gate="BIMCV registration",
    layout=("grounded_reports_YYYYMMDD.json", "master_table.csv", "Padchest_GR_files/….png"),
    read=read,
)
