"""From a manifest to items: CSV, JSONL or Parquet, or a folder of images. A broken row is noted, and ends nothing."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deixis.cohort.items import Failure, Item
from deixis.errors import ManifestError

# Between the phrases of one row, where a cell holds text.
BETWEEN = "|"
# A report of 100,000 characters is a column in the wrong place; csv's own limit would end the reading.
LONGEST = 1 << 20
# What lies in folders of images beside them.
BESIDE = frozenset({".csv", ".tsv", ".txt", ".md", ".json", ".jsonl", ".parquet", ".xml", ".html", ".pdf", ".zip"})

# A row's number, and its columns or why it has none.
Row = tuple[int, Mapping[str, Any] | str]


@dataclass(frozen=True)
class Manifest:
    """What is to be done.

    Args:
        items: the rows that can be, in order; ids are unique.
        failures: the others, each with the reason.
        root: against which relative paths are meant.
        sha256: of the file; of a folder, of the names in it.
    """

    items: tuple[Item, ...]
    failures: tuple[Failure, ...]
    root: Path
    sha256: str


def read_manifest(source: Path, phrases: Sequence[str] = ()) -> Manifest:
    """The items of a manifest, or of all images below a folder.

    Args:
        source: ``.csv``, ``.jsonl`` or ``.parquet`` with `image`, `phrases` (or `phrase`), `report`, `id`, `split`; or
            a folder.
        phrases: of rows that have neither phrases nor a report.

    Raises:
        ManifestError: it is missing, of another form, or has no column `image`.
    """
    if source.is_dir():
        names = _pictures(source)
        rows: Iterator[Row] = ((number, {"image": name}) for number, name in enumerate(names, start=1))
        root, digest = source, hashlib.sha256("\n".join(names).encode("utf-8", "surrogatepass")).hexdigest()
    else:
        form = FORMS.get(source.suffix.lower())
        if form is None or not source.is_file():
            raise ManifestError(
                f"{source} is {'no manifest' if source.is_file() else 'not there'}. "
                f"Give a folder of images, or a file that ends in {', '.join(FORMS)}."
            )
        rows, root, digest = form(source), source.parent, sha256_of(source)
    items, failures = _checked(rows, tuple(phrases))
    return Manifest(items, failures, root.resolve(), digest)


def _checked(rows: Iterator[Row], phrases: tuple[str, ...]) -> tuple[tuple[Item, ...], tuple[Failure, ...]]:
    items: list[Item] = []
    failures: list[Failure] = []
    first: dict[str, int] = {}
    for number, row in rows:
        try:
            item = _item(number, row, phrases)
            if item.id in first:
                raise ManifestError(f"has the id of row {first[item.id]}. Give it another, or take it out.")
        except ManifestError as error:
            image = row.get("image") if not isinstance(row, str) else None
            failures.append(
                Failure(number, "", image if isinstance(image, str) else "", "manifest", f"The row {error}")
            )
            continue
        first[item.id] = number
        items.append(item)
    return tuple(items), tuple(failures)


def _item(number: int, row: Mapping[str, Any] | str, phrases: tuple[str, ...]) -> Item:
    if isinstance(row, str):
        raise ManifestError(row)
    asked = (*_phrases(row.get("phrases")), *_phrases(row.get("phrase")))
    report = _text(row, "report") or None
    if not asked and report is None:
        asked = phrases
    image, name = _text(row, "image"), _text(row, "id")
    if "\n" in image or "\n" in name:
        raise ManifestError("runs over several lines. Close the quotation mark in it, or in the row before.")
    return Item(number, image, asked, report, _text(row, "split") or None, name)


def _text(row: Mapping[str, Any], column: str) -> str:
    value = row.get(column)
    if value is None or isinstance(value, str):
        return _legible((value or "").strip())
    if isinstance(value, int):
        return str(value)
    raise ManifestError(f"holds a {type(value).__name__} as `{column}`, which is to be text.")


def _phrases(value: Any) -> tuple[str, ...]:
    """One text with `BETWEEN` between phrases, or a list of texts."""
    if value is None:
        return ()
    given = value.split(BETWEEN) if isinstance(value, str) and value.strip() else value or ()
    if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
        raise ManifestError(f"holds a {type(value).__name__} as `phrases`, which are to be texts.")
    return tuple(_legible(one.strip()) for one in given)


def _legible(text: str) -> str:
    """The text, unless it came from bytes that were no UTF-8."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ManifestError("holds bytes that are no UTF-8. Save the manifest as UTF-8.") from error
    return text


def _csv(source: Path) -> Iterator[Row]:
    """Rows count from 1 as a spreadsheet shows them, the header being the first."""
    csv.field_size_limit(LONGEST)
    with source.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        reader = csv.reader(lines)
        header = [name.strip() for name in next(reader, [])]
        _check_columns(source, header)
        number = 1
        while True:
            number += 1
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield number, f"is no CSV ({error}). Write it anew."
                continue
            if not values:
                continue
            if len(values) != len(header):
                yield number, f"has {len(values)} columns, the header {len(header)}. Put what holds commas in quotes."
                continue
            yield number, dict(zip(header, values, strict=True))


def _jsonl(source: Path) -> Iterator[Row]:
    """Rows are lines, counted from 1."""
    with source.open(encoding="utf-8-sig", errors="surrogateescape") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                yield number, f"is no JSON ({error})."
                continue
            yield number, row if isinstance(row, dict) else f"is a {type(row).__name__}, not an object with `image`."


def _parquet(source: Path) -> Iterator[Row]:
    """Rows counted from 1."""
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(source) as file:
            _check_columns(source, file.schema_arrow.names)
            wanted = [name for name in COLUMNS if name in file.schema_arrow.names]
            number = 0
            for batch in file.iter_batches(columns=wanted):
                for row in batch.to_pylist():
                    number += 1
                    yield number, row
    except (ArrowException, OSError) as error:
        raise ManifestError(f"{source} is no Parquet: {error}. Write it anew.") from error


COLUMNS = ("image", "phrases", "phrase", "report", "id", "split")
FORMS: Mapping[str, Callable[[Path], Iterator[Row]]] = {".csv": _csv, ".jsonl": _jsonl, ".parquet": _parquet}


def _check_columns(source: Path, names: Sequence[str]) -> None:
    if "image" not in names:
        raise ManifestError(f"{source} has no column `image`; it has {', '.join(names) or 'none'}.")


def _pictures(folder: Path) -> list[str]:
    """All files below that may be images, by their paths in the folder; whether they are, reading will tell."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    shown = [path for path in files if not any(part.startswith(".") for part in path.parts)]
    return sorted(str(path) for path in shown if path.suffix.lower() not in BESIDE)


def sha256_of(source: Path) -> str:
    """The hash of a file."""
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
