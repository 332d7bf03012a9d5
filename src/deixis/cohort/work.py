"""The second step of a block, whichever engine employs the worker: ground its images one by one, and write its files.

An image is grounded by itself. What shares a call of the denoiser changes an answer's last digits, so with others in
the batch an answer would depend on which neighbours failed, or were done before; this way it depends on its own image
alone. Phrases and noisings of one image fill batches.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float16

from deixis.cohort.decode import Decoded, Failed
from deixis.cohort.faults import fault, refused, set_aside, told
from deixis.cohort.folder import Folder
from deixis.cohort.heats import HEAT_STORES, NONE, HeatStore, keep
from deixis.cohort.items import Block, Failure, Sheet
from deixis.cohort.order import Errand, Outcome
from deixis.cohort.packed import Packed
from deixis.cohort.shards import Answered, failures_table, read_failures, read_rows, results_table, write_table
from deixis.cohort.sheets import Answers, answers
from deixis.errors import caught
from deixis.ground import open_image
from deixis.models.loading import load
from deixis.recipes import recipe as recipe_named


@dataclass
class Page:
    """What a worker has of a block so far: rows of results, failures, heat maps by key."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    maps: dict[str, Float16[np.ndarray, "y x"]] = field(default_factory=dict)


class Grounder:
    """A worker with a model that was loaded once."""

    def __init__(self, errand: Errand) -> None:
        """Load the model.

        Raises:
            ModelError: it cannot be loaded.
            OutputError: the folder holds results of other weights.
        """
        cohort = errand.cohort
        torch.set_num_threads(errand.threads)
        self._errand, self._folder = errand, Folder(cohort.output)
        self._recipe = recipe_named(cohort.recipe)
        kind = getattr(torch, cohort.dtype)
        self._model = load(cohort.model, cohort.device, kind, text_encoder=cohort.text_encoder)
        self._store: HeatStore | None = None if cohort.heat == NONE else HEAT_STORES[cohort.heat]
        spec = self._model.spec
        self._folder.agree({"name": spec.name, "family": spec.family, "weights_sha256": spec.weights_sha256})

    def __call__(self, decoded: Decoded) -> Outcome:
        """Ground and write a block; a disk that takes no more is told in the outcome, and leaves no half of a file."""
        block, started = decoded.block, time.perf_counter()
        if decoded.stopped:
            return Outcome(block.number, stopped=decoded.stopped)
        page = Page()
        try:
            with self._errand.ledger.attempt(block.number, "ground") as attempt:
                for sheet, image in zip(block.sheets, decoded.images, strict=True):
                    if isinstance(image, Failed):
                        page.failures.extend(sheet.failed(image.kind, image.reason))
                    elif attempt.starting(sheet.image):
                        self._ground(sheet, image, page)
                    else:
                        page.failures.extend(sheet.failed("crash", set_aside("grounded")))
                self._write(block, page)
        except OSError as error:
            return Outcome(block.number, stopped=refused(self._folder.path, error))
        spent = time.perf_counter() - started
        return Outcome(block.number, len(block.sheets), len(page.rows), tuple(page.failures), spent, memory())

    def _ground(self, sheet: Sheet, image: Packed, page: Page) -> None:
        found = caught(self._answers, sheet, image)
        if isinstance(found, Exception):
            page.failures.extend(sheet.failed(fault(found), told(found)))
            return
        page.failures.extend(found.failures)
        page.rows.extend(self._kept(one, page).row() for one in found.answered)

    def _answers(self, sheet: Sheet, image: Packed) -> Answers:
        cohort = self._errand.cohort
        view = open_image(image.unpacked(), self._model, self._recipe, seed=cohort.seed, batch=cohort.batch)
        return answers(sheet, view)

    def _kept(self, one: Answered, page: Page) -> Answered:
        """The answer, its heat map laid by where the cohort wants it kept."""
        if self._store is None or one.grounding is None:
            return one
        key = f"{one.item.row}-{one.number}"
        page.maps[key] = one.grounding.heat.values.astype(np.float16)
        return replace(one, heat=key)

    def _write(self, block: Block, page: Page) -> None:
        """All files of a block, the results last: where they stand, the block is done.

        Of images that are done again, what was there before gives way; the rest stays.
        """
        shard, errors = self._folder.shard(block.number), self._folder.errors(block.number)
        done = {item.row for sheet in block.sheets for item in sheet.items}
        rows, failures = _beside(shard, errors, done)
        if self._store is not None:
            keep(self._store, self._folder.heat(block.number, self._store.suffix), page.maps)
        if failures or page.failures or errors.exists():
            write_table(failures_table([*failures, *page.failures]), errors)
        write_table(results_table([*rows, *page.rows]), shard)


def _beside(shard: Path, errors: Path, done: set[int]) -> tuple[list[dict[str, Any]], list[Failure]]:
    """Rows and failures that stand there of other items."""
    if not shard.exists():
        return [], []
    rows = [row for row in read_rows(shard) if row["row"] not in done]
    return rows, [one for one in read_failures(errors) if one.row not in done]


def memory() -> int:
    """Bytes that this process has in memory, where the system tells."""
    statm = Path("/proc/self/statm")
    return int(statm.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE") if statm.exists() else 0
