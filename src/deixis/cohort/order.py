"""What is asked of a cohort, and what each worker must know to do a block of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deixis.cohort.attempts import Ledger
from deixis.cohort.heats import HEAT_STORES, NONE
from deixis.cohort.items import Failure
from deixis.cohort.manifest import Manifest
from deixis.errors import ManifestError, PhraseError
from deixis.recipes import DEFAULT
from deixis.recipes import recipe as recipe_named
from deixis.registry import unknown_name

SCHEMA = "deixis.cohort.run/1"
# Images in a block: enough that files are not too small, few enough that little is lost when a worker dies.
BLOCK = 32
# Cases in one call of the denoiser; an image's phrases and noisings share them, images do not.
BATCH = 16


@dataclass(frozen=True)
class Cohort:
    """What is to be done with a manifest; all that an answer depends on, and where it goes.

    Args:
        manifest: CSV, JSONL, Parquet, or a folder of images.
        output: folder of the results; gone on with where it holds a part of them.
        phrases: for rows that have neither phrases nor a report.
        model: what `deixis.load` takes.
        recipe: its name.
        text_encoder: as for `deixis.load`.
        device: where each worker's model runs.
        dtype: precision of the weights.
        seed: which noise.
        heat: "none", or a row of the table of heat stores.
        block: images in a block.
        batch: cases in one call of the denoiser.
    """

    manifest: Path
    output: Path
    phrases: tuple[str, ...] = ()
    model: str = "phantom"
    recipe: str = DEFAULT
    text_encoder: str | None = None
    device: str = "auto"
    dtype: str = "float32"
    seed: int = 0
    heat: str = NONE
    block: int = BLOCK
    batch: int = BATCH

    def __post_init__(self) -> None:
        recipe_named(self.recipe)
        if self.block < 1 or self.batch < 1:
            raise ManifestError(f"A block and a batch hold at least one; got {self.block} and {self.batch}.")
        if not all(phrase.strip() for phrase in self.phrases):
            raise PhraseError('A phrase is empty. Say what to look for, e.g. "right pleural effusion".')
        if self.heat != NONE and self.heat not in HEAT_STORES:
            raise unknown_name("heat store", self.heat, (NONE, *HEAT_STORES.names()))

    def config(self, manifest: Manifest, threads: int) -> dict[str, Any]:
        """All that the results depend on but the weights, which a worker adds when it has loaded them."""
        recipe = json.loads(json.dumps(asdict(recipe_named(self.recipe))))
        asked: dict[str, Any] = {
            "schema": SCHEMA,
            "manifest": str(self.manifest.resolve()),
            "manifest_sha256": manifest.sha256,
            **{name: getattr(self, name) for name in KEPT},
            "phrases": list(self.phrases),
            "threads": threads,
            "recipe": recipe,
        }
        return asked | {"config_sha256": digest(asked)}


KEPT = ("model", "text_encoder", "device", "dtype", "seed", "heat", "block", "batch")


@dataclass(frozen=True)
class Errand:
    """A cohort as its workers take it.

    Args:
        cohort: what is asked.
        root: against which relative paths are meant.
        threads: of each worker.
        run: what tells this run from others on the same folder.
    """

    cohort: Cohort
    root: Path
    threads: int
    run: str

    @property
    def ledger(self) -> Ledger:
        """Where workers note what they are at."""
        return Ledger(self.cohort.output / "_attempts", self.run)


@dataclass(frozen=True)
class Outcome:
    """What became of a block: all that comes back from a worker, whatever the block's size.

    Args:
        block: its number.
        images: that were gone through.
        rows: written for them.
        failures: of them.
        seconds: that the worker spent on it.
        memory: bytes that the worker has in memory.
        stopped: why no block can be written any more; "" where all is well.
    """

    block: int
    images: int = 0
    rows: int = 0
    failures: tuple[Failure, ...] = ()
    seconds: float = 0.0
    memory: int = 0
    stopped: str = ""


def digest(content: Mapping[str, Any]) -> str:
    """A hash of plain data."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
