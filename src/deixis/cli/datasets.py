"""`deixis datasets`: what can be evaluated on, and whether a copy is whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deixis.cli import console
from deixis.cli.failures import WRONG

datasets = typer.Typer(invoke_without_command=True)
# Notes of one trouble that are shown in full.
SHOWN_NOTES = 3


@datasets.callback()
def listing(context: typer.Context) -> None:
    """List the datasets that can be read, with what says where, and who asks what for them."""
    if context.invoked_subcommand is not None:
        return
    from deixis.datasets import DATASETS

    rows = console.table("dataset", "what", "truth", "gate")
    for name in DATASETS:
        one = DATASETS[name]
        rows.add_row(name, one.summary, one.truth, one.gate)
    console.results().print(rows)


@datasets.command()
def check(
    name: Annotated[str, typer.Argument(metavar="DATASET", help="A name from `deixis datasets`.")],
    root: Annotated[Path | None, typer.Option(help="The folder that holds it.")] = None,
    split: Annotated[str | None, typer.Option(help="train, val or test; all without it.")] = None,
    option: Annotated[list[str] | None, typer.Option(metavar="NAME=VALUE", help="What it alone understands.")] = None,
) -> None:
    """Read all annotations of a copy and find every image, without a model; say what would be left out."""
    from deixis.datasets import DATASETS, Wanted
    from deixis.evaluate import image_of

    dataset = DATASETS[name]
    options = dict(one.partition("=")[::2] for one in option or ())
    collection = dataset.read(Wanted(root, split, options=options))
    cases = list(collection)
    images = {image_of(case) for case in cases}
    console.say(f"{name}: {len(cases)} phrases in {len(images)} images, phrases: {collection.phrases}")
    for category in sorted({case.category for case in cases}):
        console.say(f"  {category}: {sum(case.category == category for case in cases)}")
    for trouble, count in collection.counts.items():
        console.say(f"{trouble}: {count}")
        for note in [note for note in collection.notes if note.trouble == trouble][:SHOWN_NOTES]:
            console.say(f"  {note.row}: {note.detail}")
    if not cases:
        console.complain(f"Nothing of {name} can be evaluated. Its layout: {'; '.join(dataset.layout)}.")
        raise typer.Exit(WRONG)
