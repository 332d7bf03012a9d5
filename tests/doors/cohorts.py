"""Manifests and pictures for tests of cohorts, and how two folders of results are compared."""

import csv
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pyarrow.parquet as pq

from deixis.datasets.phantom import TEST_SEED, scene

PHRASES = "right pleural effusion|left pneumothorax"


def write_phantoms(folder: Path, count: int) -> list[Path]:
    """Pictures of phantoms, 256 pixels wide."""
    files = []
    for number in range(count):
        files.append(folder / f"chest{number:02}.png")
        pixels = scene(TEST_SEED + number, 256, findings=(1, 3)).pixels
        PIL.Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(files[-1])
    return files


def write_manifest(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    """A CSV of rows with id, image and phrases."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ("id", "image", "phrases"))
        writer.writeheader()
        writer.writerows(rows)
    return path


def answers(folder: Path, *, without: Iterable[str] = ("seconds",)) -> dict[tuple[str, int], dict[str, Any]]:
    """All rows of results by item and place; a doubled one is an error."""
    rows = pq.read_table(folder, partitioning=None).drop_columns(list(without)).to_pylist()
    found = {(row["id"], row["number"]): row for row in rows}
    assert len(found) == len(rows), "a row stands there twice"
    return found


def errors(folder: Path) -> dict[str, str]:
    """Why each item failed, by its id."""
    lines = (folder / "_errors.jsonl").read_text(encoding="utf-8").splitlines()
    return {one["id"]: f"{one['kind']}: {one['reason']}" for one in map(json.loads, lines)}


def shards(folder: Path) -> list[Path]:
    """Files of results that are whole."""
    return sorted(folder.glob("part-*.parquet"))
