"""`deixis batch`: a cohort from a manifest into a folder of Parquet files, on this machine or a cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deixis.cli import console
from deixis.cli.cohort import show_forecast, show_total, told_progress
from deixis.cli.failures import INCOMPLETE, INTERRUPTED
from deixis.cli.options import taking
from deixis.cli.precision import Precision
from deixis.cli.progress import progress
from deixis.recipes import DEFAULT

if TYPE_CHECKING:
    from deixis.cohort.order import Cohort
    from deixis.cohort.run import Plan, Progress, Watch
    from deixis.crew import Crew

# Seconds between lines about how far it is, where there is no terminal to draw a bar on.
LINES_EVERY = 60


@dataclass(frozen=True)
class BatchOptions:
    """What can be said after `deixis batch`."""

    manifest: Annotated[Path, typer.Argument(metavar="MANIFEST", help="CSV, JSONL or Parquet, or a folder of images.")]
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the results; gone on with.")]
    phrase: Annotated[
        list[str] | None, typer.Option("--phrase", "-p", help="For rows without phrases or report. Repeat it for more.")
    ] = None
    model: Annotated[str, typer.Option("--model", "-m", help="A name from `deixis models`, a path, or a hub id.")] = (
        "phantom"
    )
    text_encoder: Annotated[str | None, typer.Option(metavar="MODEL", help="Take the text encoder from here.")] = None
    recipe: Annotated[str, typer.Option("--recipe", "-r", help="A name from `deixis recipes`.")] = DEFAULT
    engine: Annotated[str, typer.Option(help="local: processes on this machine; ray: a Ray cluster.")] = "local"
    workers: Annotated[int, typer.Option(min=0, help="Each with a model of its own; 0: as many as have room.")] = 0
    min_workers: Annotated[
        int, typer.Option(min=0, help="With Ray: begin with so many, grow as there is room; 0: all at once.")
    ] = 0
    threads: Annotated[int, typer.Option(min=1, help="Cores of each worker; last digits depend on it.")] = 1
    gpus: Annotated[
        float, typer.Option(min=0.0, help="GPUs of each worker, which sees no others; 0.5 lets two share one.")
    ] = 0.0
    address: Annotated[
        str | None, typer.Option(help="Of a Ray cluster, auto for the one here; without it one is started.")
    ] = None
    block: Annotated[int, typer.Option(min=1, help="Images in a file of results.")] = 32
    batch: Annotated[int, typer.Option(min=1, help="Cases in one call of the denoiser, sized to the device.")] = 16
    heat: Annotated[str, typer.Option(help="Keep heat maps as float16: none, npz or zarr.")] = "none"
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, …")] = "auto"
    dtype: Annotated[Precision, typer.Option(help="Precision of the weights; half of it halves memory.")] = (
        Precision.FLOAT32
    )
    seed: Annotated[int, typer.Option(help="Which noise.")] = 0
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try all that failed again.")] = False
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the manifest, read a sample, predict time and space.")
    ] = False
    metrics_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Show Prometheus metrics to this machine; 0: any free port.")
    ] = None


@taking(BatchOptions)
def batch(asked: BatchOptions) -> None:
    """Ground a whole cohort; go on where it was broken off. Rows that fail are listed and make the exit code 1."""
    check_installed()
    cohort, crew = ordered(asked)
    if asked.dry_run:
        from deixis.cohort.forecast import forecast

        found = forecast(cohort, crew)
        show_forecast(found)
        raise typer.Exit(INCOMPLETE if found.failures else 0)
    from deixis.cohort.run import closed, planned

    plan = planned(cohort, crew, retry_failed=asked.retry_failed)
    _go_through(plan, crew, asked)
    total = closed(plan)
    show_total(total, cohort.output)
    if total.failures:
        raise typer.Exit(INCOMPLETE)


def ordered(asked: BatchOptions) -> tuple[Cohort, Crew]:
    """The cohort and the crew for these options."""
    from deixis.cohort.order import Cohort
    from deixis.crew import Crew

    cohort = Cohort(
        asked.manifest,
        asked.output,
        tuple(asked.phrase or ()),
        asked.model,
        asked.recipe,
        asked.text_encoder,
        asked.device,
        asked.dtype.value,
        asked.seed,
        asked.heat,
        asked.block,
        asked.batch,
    )
    crew = Crew(asked.engine, asked.workers, asked.min_workers, asked.threads, asked.gpus, asked.address)
    return cohort, crew


def check_installed() -> None:
    """Raise `DeixisError` that says what to install, where the extra is not there."""
    from importlib.util import find_spec

    from deixis.errors import DeixisError

    absent = [name for name in ("pyarrow", "pycocotools", "fsspec", "prometheus_client") if find_spec(name) is None]
    if absent:
        raise DeixisError(f"`deixis batch` needs {', '.join(absent)}: pip install 'deixis[scale]'.")


def _go_through(plan: Plan, crew: Crew, asked: BatchOptions) -> None:
    """All that is to be done, seen as it goes."""
    from deixis.cohort.run import go_through

    done = sum(len(block.sheets) for block in plan.blocks) - plan.images
    if done:
        console.note(f"Going on: {done} of {done + plan.images} images are done.")
    try:
        with _counted(asked.metrics_port) as count, _shown(plan.images) as show:

            def watch(progress: Progress) -> None:
                count(progress)
                show(progress)

            go_through(plan, crew, watch)
    except KeyboardInterrupt:
        console.note(f"Interrupted. What is done is in {asked.output}; the same command goes on.")
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def _shown(images: int) -> Iterator[Watch]:
    """A bar on a terminal, else a line now and then."""
    with progress(images) as bar:
        last = time.monotonic()
        bar.start("loading the model")

        def show(at: Progress) -> None:
            nonlocal last
            if at.last is None:
                return
            bar.start(told_progress(at))
            bar.advance(at.last.images)
            if not bar.shown and time.monotonic() - last > LINES_EVERY:
                last = time.monotonic()
                console.note(f"{at.done} of {at.images} images, {told_progress(at)}")

        yield show


@contextmanager
def _counted(port: int | None) -> Iterator[Watch]:
    """Metrics, where they are wanted."""
    if port is None:
        yield lambda _: None
        return
    from deixis.cohort.counting import counted

    with counted(port) as (counts, address):
        console.note(f"Metrics are at {address}.")
        yield counts.see
