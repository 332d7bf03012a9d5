"""`deixis phantom`: a set of synthetic chest X-rays with words and truth."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from deixis.cli import console
from deixis.cli.outputs import check_writable
from deixis.cli.progress import Bar, progress


def phantom(
    output: Annotated[Path, typer.Option("--output", "-o", help="A new folder for the set.")],
    count: Annotated[int, typer.Option("--count", "-n", min=1, help="How many images.")] = 500,
    seed: Annotated[
        int, typer.Option(min=0, help="Seed of the first image: training below 900,000, tests from 1,000,000.")
    ] = 0,
    size: Annotated[int, typer.Option(min=64, help="Side of an image in pixels.")] = 256,
) -> None:
    """Write synthetic chest X-rays with phrases, reports, boxes and masks, in the layout of MS-CXR."""
    from deixis.datasets.phantom import write_set

    check_writable(output)
    with progress(count) as bar:
        written = write_set(output, _watched(range(seed, seed + count), bar), size)
    console.say(f"{written} images in {output}.")


def _watched(seeds: range, bar: Bar) -> Iterator[int]:
    for seed in seeds:
        bar.start(f"phantom {seed}")
        yield seed
        bar.advance()
