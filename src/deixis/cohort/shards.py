"""A block's answers as a Parquet file: the schema, rows of it, and how it is written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Bool

from deixis.cohort.items import Failure, Item
from deixis.radiology import Mention
from deixis.types import Grounding
from deixis.writers.aside import replaced_file

SCHEMA_NAME = "deixis.cohort/1"
BOX = pa.struct([(name, pa.float64()) for name in ("x0", "y0", "x1", "y1", "score")])
RLE = pa.struct([("size", pa.list_(pa.int32())), ("counts", pa.string())])
RESULTS = pa.schema(
    [
        ("id", pa.string()),
        ("row", pa.int64()),
        ("number", pa.int32()),
        ("image", pa.string()),
        ("split", pa.string()),
        ("phrase", pa.string()),
        ("category", pa.string()),
        ("laterality", pa.string()),
        ("status", pa.string()),
        ("reason", pa.string()),
        ("boxes", pa.list_(BOX)),
        ("stability", pa.float64()),
        ("agreement", pa.float64()),
        ("presence", pa.float64()),
        ("height", pa.int32()),
        ("width", pa.int32()),
        ("mask", RLE),
        ("mask_area", pa.int64()),
        ("peak", pa.float32()),
        ("seen", pa.float64()),
        ("heat", pa.string()),
        ("model", pa.string()),
        ("weights_sha256", pa.string()),
        ("recipe", pa.string()),
        ("seed", pa.int64()),
        ("versions", pa.map_(pa.string(), pa.string())),
        ("notices", pa.list_(pa.string())),
        ("unet_evaluations", pa.int32()),
        ("seconds", pa.float64()),
    ]
)
FAILURES = pa.schema(
    [("row", pa.int64()), ("id", pa.string()), ("image", pa.string()), ("kind", pa.string()), ("reason", pa.string())]
)
# What two runs of the same may differ in.
VARYING = ("seconds",)


@dataclass(frozen=True)
class Answered:
    """One phrase of an item with its answer, or a mention of its report that was not looked for.

    Args:
        item: the row of the manifest.
        number: the place among the item's answers, from 0.
        phrase: what was asked.
        grounding: the answer, or None.
        mention: where the phrase came from a report.
        reason: why there is no grounding; "" where there is one.
        heat: where its heat map is kept, or None.
    """

    item: Item
    number: int
    phrase: str
    grounding: Grounding | None
    mention: Mention | None = None
    reason: str = ""
    heat: str | None = None

    def row(self) -> dict[str, Any]:
        """As a row of `RESULTS`; what has no answer is null."""
        asked = {
            "id": self.item.id, "row": self.item.row, "number": self.number, "image": self.item.image,
            "split": self.item.split, "phrase": self.phrase, "reason": self.reason or None, "heat": self.heat,
            "status": None if self.mention is None else self.mention.status,
            "category": None if self.mention is None else self.mention.category,
            "laterality": None if self.mention is None else self.mention.laterality,
        }  # fmt: skip
        return asked if self.grounding is None else asked | _found(self.grounding)


def _found(one: Grounding) -> dict[str, Any]:
    made, heat = one.provenance, one.heat
    height, width = one.image.shape
    return {
        "boxes": [asdict(box) for box in one.boxes],
        "stability": one.stability,
        "agreement": one.agreement,
        "presence": one.presence,
        "height": height,
        "width": width,
        "mask": rle(one.mask),
        "mask_area": int(one.mask.sum()),
        "peak": float(heat.values.max(initial=0.0, where=heat.seen)),
        "seen": float(heat.seen.mean()),
        "model": made.model,
        "weights_sha256": made.weights_sha256,
        "recipe": made.recipe,
        "seed": made.seed,
        "versions": list(made.versions.items()),
        "notices": list(made.notices),
        "unet_evaluations": made.unet_evaluations,
        "seconds": made.seconds,
    }


def rle(mask: Bool[np.ndarray, "y x"]) -> dict[str, Any]:
    """A mask as COCO's compressed run-length code, ``{"size": [height, width], "counts": …}``."""
    from pycocotools.mask import encode

    coded = encode(np.asfortranarray(mask, np.uint8))
    return {"size": [int(side) for side in coded["size"]], "counts": coded["counts"].decode("ascii")}


def results_table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows in the order of the manifest, as the schema has it."""
    ordered = sorted(rows, key=lambda row: (row["row"], row["number"]))
    return pa.Table.from_pylist(ordered, schema=RESULTS)


def failures_table(failures: Sequence[Failure]) -> pa.Table:
    """Failures in the order of the manifest."""
    ordered = sorted(failures, key=lambda one: one.row)
    return pa.Table.from_pylist([asdict(one) for one in ordered], schema=FAILURES)


def read_failures(path: Path) -> tuple[Failure, ...]:
    """The failures of a file; none where there is none."""
    if not path.exists():
        return ()
    return tuple(Failure(**row) for row in pq.read_table(path, partitioning=None).to_pylist())


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file of results."""
    rows: list[dict[str, Any]] = pq.read_table(path, partitioning=None).to_pylist()
    return rows


def write_table(table: pa.Table, path: Path, facts: Mapping[str, str] | None = None) -> None:
    """Write a Parquet file whole or not at all, with facts about it in its metadata."""
    schema = table.schema.with_metadata({"schema": SCHEMA_NAME, **(facts or {})})
    with whole(path) as aside:
        pq.write_table(table.cast(schema), aside, compression="zstd")


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path to write to; what was written there is on the disk and under its name when the block ends, or is gone.

    Raises:
        OSError: the disk is full, or the folder cannot be written to.
    """
    with replaced_file(path) as aside:
        yield aside
        with aside.open("rb") as written:
            os.fsync(written.fileno())


def facts_of(path: Path) -> dict[str, str]:
    """What `write_table` was told about a file, and its number of rows."""
    metadata = pq.read_metadata(path)
    known = metadata.metadata or {}
    return {key.decode(): value.decode() for key, value in known.items() if key != b"ARROW:schema"} | {
        "rows": str(metadata.num_rows)
    }
