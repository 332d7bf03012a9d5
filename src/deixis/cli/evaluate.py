"""`deixis evaluate`: a dataset under a model and a recipe, with controls and a report."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deixis.cli import console
from deixis.cli.failures import INTERRUPTED, WRONG
from deixis.cli.options import taking
from deixis.cli.progress import progress
from deixis.recipes import DEFAULT

if TYPE_CHECKING:
    from deixis.crew import Crew
    from deixis.runs import Examiner, Order, RunFolder


@dataclass(frozen=True)
class EvaluateOptions:
    """What can be said after `deixis evaluate`."""

    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="A name from `deixis datasets`.")]
    output: Annotated[Path, typer.Option("--output", "-o", metavar="RUN", help="Folder of the run; gone on with.")]
    root: Annotated[Path | None, typer.Option(help="The folder that holds the dataset.")] = None
    model: Annotated[str, typer.Option("--model", "-m", help="A name from `deixis models`, a path, or a hub id.")] = (
        "phantom"
    )
    text_encoder: Annotated[str | None, typer.Option(metavar="MODEL", help="Take the text encoder from here.")] = None
    recipe: Annotated[str, typer.Option("--recipe", "-r", help="A name from `deixis recipes`.")] = DEFAULT
    predictions: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Score these answers of another system in place of a model's.")
    ] = None
    split: Annotated[str | None, typer.Option(help="train, val or test; all without it.")] = None
    limit: Annotated[int | None, typer.Option(min=1, help="At most so many phrases.")] = None
    language: Annotated[str, typer.Option(help="Of the phrases, where there is a choice.")] = "en"
    option: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="What one dataset alone understands.")
    ] = None
    exclude_subjects: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Patients to leave out, one a line.")
    ] = None
    prior_cases: Annotated[int, typer.Option(min=0, help="Training cases on which the priors are fitted.")] = 1000
    workers: Annotated[int, typer.Option(min=1, help="Processes that go through the images.")] = 1
    engine: Annotated[str, typer.Option(help="local: processes on this machine; ray: a Ray cluster.")] = "local"
    address: Annotated[
        str | None, typer.Option(help="Of a Ray cluster, auto for the one here; without it one is started.")
    ] = None
    gpus: Annotated[float | None, typer.Option(min=0.0, help="GPUs of each worker; 0.5 lets two share one.")] = None
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, …")] = "auto"
    seed: Annotated[int, typer.Option(help="Which noise.")] = 0


@taking(EvaluateOptions)
def evaluate(asked: EvaluateOptions) -> None:
    """Score a model under a recipe on a dataset, beside every control; go on where a run was broken off."""
    from deixis.crew import Crew
    from deixis.runs import Examiner, RunFolder

    order = ordered(asked)
    crew = Crew(asked.engine, asked.workers, threads=_threads(asked.workers), gpus=asked.gpus, address=asked.address)
    examiner = Examiner(order)
    if not examiner.groups:
        console.complain(
            f"No case of {asked.dataset} is left: {dict(examiner.collection.counts) or 'the split is empty'}."
        )
        raise typer.Exit(WRONG)
    folder = RunFolder(asked.output, order.config(examiner.model))
    try:
        _go_through(order, examiner, folder, crew)
    except KeyboardInterrupt:
        console.note(f"Interrupted: {len(folder.records())} cases are in {asked.output}. The same command goes on.")
        raise typer.Exit(INTERRUPTED) from None
    _close(order, examiner, folder)


def ordered(asked: EvaluateOptions) -> Order:
    """The order for these options; what is wrong with them raises before a model is loaded."""
    from deixis.datasets import DATASETS, Wanted
    from deixis.errors import CaseError
    from deixis.models.finding import anywhere
    from deixis.recipes import recipe
    from deixis.runs import Order

    recipe(asked.recipe)
    _ = DATASETS[asked.dataset]
    options = dict(one.split("=", 1) for one in asked.option or () if "=" in one)
    if len(options) != len(asked.option or ()):
        raise CaseError(f"Options are NAME=VALUE; got {' '.join(asked.option or ())}.")
    left_out = asked.exclude_subjects
    without = () if left_out is None else tuple(sorted(set(left_out.read_text(encoding="utf-8").split())))
    # Workers of a cluster stand in folders of their own.
    root = None if asked.root is None else asked.root.absolute()
    wanted = Wanted(root, asked.split, asked.language, asked.limit, options)
    return Order(
        asked.dataset,
        wanted,
        anywhere(asked.model),
        asked.recipe,
        asked.device,
        asked.seed,
        None if asked.text_encoder is None else anywhere(asked.text_encoder),
        without,
        asked.predictions,
        asked.prior_cases,
    )


def _go_through(order: Order, examiner: Examiner, folder: RunFolder, crew: Crew) -> None:
    """Every image that is not done, with running means and the time that is left."""
    from deixis.runs import examined, unfinished

    todo = unfinished(examiner.groups, folder.records())
    done = len(examiner.groups) - len(todo)
    if done and todo:
        console.note(f"Going on: {done} of {len(examiner.groups)} images are done.")
    known = {record.row.case for record in folder.records()}
    aurocs: list[float] = []
    with progress(len(todo)) as bar:
        started = time.monotonic()
        for number, records in enumerate(examined(order, examiner, todo, crew), start=1):
            folder.append([record for record in records if record.row.case not in known])
            aurocs += [record.row.scores["auroc"] for record in records if "auroc" in record.row.scores]
            left = (time.monotonic() - started) / number * (len(todo) - number)
            mean = sum(aurocs) / len(aurocs) if aurocs else float("nan")
            bar.start(f"AUROC {mean:.3f} so far, {left / 60:.0f} min left")
            bar.advance()


def _close(order: Order, examiner: Examiner, folder: RunFolder) -> None:
    """Write the report, and say what came out; failed cases make the exit code 2."""
    from deixis.report.files import write_report
    from deixis.report.summary import JUDGED, Summary
    from deixis.report.tables import NAMES, interval

    summary = Summary.of(folder.records(), folder.config, examiner.collection)
    files = write_report(summary, folder.folder, examiner.show)
    rows = console.table("metric", "mean over classes [95 % interval]", "controls that it does not beat")
    for metric in JUDGED:
        rows.add_row(NAMES[metric], interval(summary.own.macro(metric)), ", ".join(summary.unbeaten(metric)))
    console.results().print(rows)
    for trouble, count in summary.notes.items():
        console.note(f"{trouble}: {count} rows of the annotations.")
    for file in files:
        console.say(str(file))
    failed = len(summary.own.rows) - len(summary.own.scored)
    if failed:
        console.complain(f"{failed} of {len(summary.own.rows)} cases failed; report.json says why.")
        raise typer.Exit(WRONG)


def _threads(workers: int) -> int:
    """Cores of each worker; this process then keeps to as many."""
    import torch

    threads = max(1, torch.get_num_threads() // workers)
    torch.set_num_threads(threads)
    return threads
