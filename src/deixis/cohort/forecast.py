"""What a cohort would take, from a sample of it: whether images can be read, time, memory, space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from deixis.cohort.faults import fault, told
from deixis.cohort.fetch import fetch
from deixis.cohort.folder import Folder
from deixis.cohort.items import Block, Failure, Sheet, blocks_of
from deixis.cohort.manifest import read_manifest
from deixis.cohort.order import Cohort, Outcome
from deixis.cohort.run import Plan, outcomes
from deixis.cohort.shards import results_table, write_table
from deixis.crew import Crew
from deixis.errors import ManifestError, caught
from deixis.models.finding import find

# Images whose reading is tried, evenly spaced, and how many of those that can be read are grounded.
READ, GROUNDED = 64, 4


@dataclass(frozen=True)
class Forecast:
    """What is to be expected.

    Args:
        images: of the manifest.
        failures: rows of it that cannot be used, and images of the sample that cannot be read.
        sampled: images whose reading was tried.
        readable: of them.
        blocks: files of results.
        image_seconds: of one worker.
        image_bytes: of results and heat maps.
        bytes: of all of them, with what every file takes.
        worker_bytes: memory of one worker.
        workers: among whom the images are shared out.
    """

    images: int
    failures: tuple[Failure, ...]
    sampled: int
    readable: int
    blocks: int
    image_seconds: float
    image_bytes: float
    bytes: float
    worker_bytes: int
    workers: int

    @property
    def seconds(self) -> float:
        """Of the whole, without the loading of models."""
        return self.images * self.image_seconds / self.workers


def forecast(cohort: Cohort, crew: Crew) -> Forecast:
    """Read a sample, ground some of it here with one worker, and reckon; nothing is left behind.

    Raises:
        ManifestError: no image of the sample can be read.
    """
    find(cohort.model)
    manifest = read_manifest(cohort.manifest, cohort.phrases)
    blocks = blocks_of(manifest.items, cohort.block)
    sheets = [sheet for block in blocks for sheet in block.sheets]
    sample = _spaced(sheets, READ)
    unreadable = [failure for sheet in sample for failure in _unreadable(sheet, manifest.root)]
    bad = {failure.image for failure in unreadable}
    chosen = _spaced([sheet for sheet in sample if sheet.image not in bad], GROUNDED)
    if not chosen:
        raise ManifestError(f"No image of {cohort.manifest} can be read. {unreadable[0].reason if unreadable else ''}")
    with TemporaryDirectory() as aside:
        folder = Folder(Path(aside))
        folder.take({})
        plan = Plan(replace(cohort, output=folder.path), manifest, (), (), folder)
        # The first of a process is slow, and says nothing of those after it.
        first, rest = Block(0, chosen[:1]), Block(1, chosen)
        _, outcome = outcomes(plan, replace(crew, engine="local", workers=1, min_workers=0), (first, rest))
        empty, size = _sizes(folder, cohort.heat != "none", outcome, len(chosen))
    return Forecast(
        images=len(sheets),
        failures=(*manifest.failures, *unreadable),
        sampled=len(sample),
        readable=len(sample) - len(bad),
        blocks=len(blocks),
        image_seconds=outcome.seconds / len(chosen),
        image_bytes=size,
        bytes=len(blocks) * empty + len(sheets) * size,
        worker_bytes=outcome.memory,
        workers=crew.here,
    )


def _unreadable(sheet: Sheet, root: Path) -> tuple[Failure, ...]:
    found = caught(fetch, sheet.image, root)
    return sheet.failed(fault(found), told(found)) if isinstance(found, Exception) else ()


def _sizes(folder: Folder, heat: bool, outcome: Outcome, images: int) -> tuple[int, float]:
    """Bytes of a file without rows, and of an image beyond that."""
    nothing = folder.path / "nothing.parquet"
    write_table(results_table([]), nothing)
    maps = (
        sum(file.stat().st_size for file in folder.heat(outcome.block, "").parent.glob("part-000001*")) if heat else 0
    )
    empty = nothing.stat().st_size
    return empty, (folder.shard(outcome.block).stat().st_size - empty + maps) / images


def _spaced(sheets: Sequence[Sheet], most: int) -> tuple[Sheet, ...]:
    """At most so many, evenly spaced."""
    return tuple(sheets[:: max(1, -(-len(sheets) // most))])
