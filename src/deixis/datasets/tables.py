"""CSV and JSON files of annotations, read with errors that say which row."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from deixis.datasets.collection import Note
from deixis.errors import CaseError


def csv_rows(file: Path, needed: Sequence[str], *, delimiter: str = ",") -> Iterator[tuple[str, dict[str, str]]]:
    """Rows of a CSV file (``.gz`` too) by column, each with where it stands; spaces around values are dropped.

    Raises:
        CaseError: it is no text, or lacks one of the needed columns; says which, and which there are.
    """
    reader = rows_of(file, delimiter=delimiter)
    header = [name.strip() for name in next(reader, [])]
    absent = [name for name in needed if name not in header]
    if absent:
        raise CaseError(f"{file} lacks the columns {', '.join(absent)}; it has {', '.join(header) or 'none'}.")
    for number, row in enumerate(reader, start=2):
        if any(value.strip() for value in row):
            filled = [*row, *[""] * (len(header) - len(row))]
            yield f"{file.name}:{number}", {name: value.strip() for name, value in zip(header, filled, strict=False)}


def rows_of(file: Path, *, delimiter: str = ",") -> Iterator[list[str]]:
    """Rows of a CSV file as they stand, line ends of any kind; what is no CSV raises `CaseError`."""
    try:
        # Line ends are csv's own business: one of Classic Mac OS inside a line is a row's end, too.
        yield from csv.reader(io.StringIO(text_of(file), newline=""), delimiter=delimiter)
    except csv.Error as error:
        raise CaseError(f"{file} is no CSV: {error}. Copy it anew.") from error


def text_of(file: Path) -> str:
    """A text file, gunzipped where its name says so; bytes that are no UTF-8 raise `CaseError`."""
    try:
        content = file.read_bytes()
        return (gzip.decompress(content) if file.suffix == ".gz" else content).decode("utf-8-sig")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise CaseError(f"{file} cannot be read as text: {error}. Copy it anew.") from error


def json_of(file: Path) -> Any:
    """The content of a JSON file; what is none raises `CaseError`."""
    try:
        return json.loads(text_of(file))
    except ValueError as error:
        raise CaseError(f"{file} is no JSON: {error}. Copy it anew.") from error


@contextmanager
def shaped(file: Path, what: str) -> Iterator[None]:
    """Turn what a strangely shaped content raises in the block into a `CaseError` that names the file."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise CaseError(f"{file} is no {what}: {error!r} is missing or of another kind.") from error


def numbers(values: Sequence[str | float | None], row: str, notes: list[Note]) -> tuple[float, ...] | None:
    """Finite numbers; anything else is noted, and gives None."""
    try:
        found = tuple(float(value) for value in values if value is not None)
    except (TypeError, ValueError):
        found = ()
    if len(found) != len(values) or not all(math.isfinite(value) for value in found):
        notes.append(Note("row unreadable", row, repr(tuple(values))))
        return None
    return found


def corner_box(xywh: Sequence[float]) -> tuple[float, float, float, float]:
    """x y width height → x0 y0 x1 y1."""
    x, y, width, height = xywh
    return x, y, x + width, y + height
