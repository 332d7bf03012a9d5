"""`ground_cohort`: a manifest through a crew into a folder, going on where it was broken off."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from deixis.cohort.attempts import DEATHS
from deixis.cohort.decode import Decode
from deixis.cohort.folder import Folder, Total
from deixis.cohort.items import Block, blocks_of
from deixis.cohort.manifest import Manifest, read_manifest
from deixis.cohort.order import Cohort, Errand, Outcome
from deixis.crew import ENGINES, Crew, Work
from deixis.errors import OutputError
from deixis.models.finding import anywhere, find
from deixis.registry import unknown_name

if TYPE_CHECKING:
    from deixis.cohort.work import Grounder


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Args:
        images: that are to be gone through in this run.
        done: of them.
        rows: written so far.
        failed: items or phrases without an answer so far.
        seconds: since the first block was given out.
        last: the block that was just done; None before the first.
        lead: how far it was after the first block, before which models were loaded.
    """

    images: int
    done: int = 0
    rows: int = 0
    failed: int = 0
    seconds: float = 0.0
    last: Outcome | None = None
    lead: Progress | None = None

    def after(self, outcome: Outcome, seconds: float) -> Progress:
        """With one more block, so many seconds after the first was given out."""
        done, rows, failed = outcome.images, outcome.rows, len(outcome.failures)
        lead = self if self.last is not None and self.lead is None else self.lead
        return Progress(self.images, self.done + done, self.rows + rows, self.failed + failed, seconds, outcome, lead)

    @property
    def rate(self) -> float:
        """Images per second, without the loading of models as soon as that can be told."""
        done, seconds = (self.lead.done, self.lead.seconds) if self.lead else (0, 0.0)
        return (self.done - done) / (self.seconds - seconds) if self.seconds > seconds else 0.0

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take at this rate; None where nobody knows yet."""
        return (self.images - self.done) / self.rate if self.rate else None


@dataclass(frozen=True)
class Plan:
    """A cohort, read and cut into blocks.

    Args:
        cohort: what is asked.
        manifest: its rows.
        blocks: all of them, also those that are done.
        todo: those, or parts of those, that are not.
        folder: of the results.
    """

    cohort: Cohort
    manifest: Manifest
    blocks: tuple[Block, ...]
    todo: tuple[Block, ...]
    folder: Folder

    @property
    def images(self) -> int:
        """That are to be gone through."""
        return sum(len(block.sheets) for block in self.todo)


Watch = Callable[[Progress], None]


def ground_cohort(
    cohort: Cohort, crew: Crew | None = None, *, retry_failed: bool = False, watch: Watch | None = None
) -> Total:
    """Ground all items of a manifest; what the folder holds already is not done again.

    Args:
        cohort: what is asked, and where it goes.
        crew: who does it; without one, a worker per core of this machine.
        retry_failed: try everything again that failed before, not only what may have passed.
        watch: is told of every block that is done.

    Raises:
        ManifestError: there is no manifest.
        OutputError: the folder is of another cohort, or can no longer be written; the same call then goes on.
        ModelError, ResourceError: the model cannot be loaded, or workers die as they load it.
    """
    crew = crew or Crew()
    plan = planned(cohort, crew, retry_failed=retry_failed)
    go_through(plan, crew, watch or _nobody)
    return closed(plan)


def planned(cohort: Cohort, crew: Crew, *, retry_failed: bool = False) -> Plan:
    """Read the manifest, take the folder, and see what is missing in it."""
    if crew.engine not in ENGINES:
        raise unknown_name(ENGINES.kind, crew.engine, ENGINES.names())
    find(cohort.model)
    manifest = read_manifest(cohort.manifest, cohort.phrases)
    folder = Folder(cohort.output.absolute())
    try:
        folder.take(cohort.config(manifest, crew.threads))
    except OSError as error:
        raise OutputError(f"{cohort.output} cannot be written ({error.strerror}). Choose another folder.") from error
    blocks = blocks_of(manifest.items, cohort.block)
    todo = folder.todo(blocks, retry_failed=retry_failed)
    encoder = None if cohort.text_encoder is None else anywhere(cohort.text_encoder)
    placed = replace(cohort, output=folder.path, model=anywhere(cohort.model), text_encoder=encoder)
    return Plan(placed, manifest, blocks, tuple(todo), folder)


def closed(plan: Plan) -> Total:
    """Say in the folder what stands there, and give it."""
    total = plan.folder.total(plan.blocks, plan.manifest.failures)
    plan.folder.close(plan.blocks, total)
    return total


def go_through(plan: Plan, crew: Crew, watch: Watch) -> None:
    """Give every block that is not done to the crew."""
    progress = Progress(plan.images)
    watch(progress)
    started = time.monotonic()
    with closing(outcomes(plan, crew, plan.todo)) as found:
        for outcome in found:
            if outcome.stopped:
                raise OutputError(outcome.stopped)
            progress = progress.after(outcome, time.monotonic() - started)
            watch(progress)


def outcomes(plan: Plan, crew: Crew, blocks: Sequence[Block]) -> Generator[Outcome]:
    """What becomes of each block, in order, as the engine of the crew brings it."""
    if not blocks:
        return
    errand = Errand(plan.cohort, plan.manifest.root, crew.threads, secrets.token_hex(4))
    # Every image may end its worker in either step until it is set aside.
    patient = replace(crew, deaths=max(crew.deaths, 2 * DEATHS * plan.cohort.block))
    work = Work(Decode(errand), partial(_grounder, errand))
    yield from ENGINES[crew.engine](work, blocks, patient)


def _grounder(errand: Errand) -> Grounder:
    """In the worker; here torch is not loaded."""
    from deixis.cohort.work import Grounder

    return Grounder(errand)


def _nobody(_progress: Progress) -> None:
    """Watches nothing."""
