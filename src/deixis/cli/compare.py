"""`deixis compare`: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deixis.cli import console


def compare(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN…", help="Folders that `deixis evaluate` wrote.")],
) -> None:
    """Put runs side by side: means with intervals, differences to the first with p-values, and published numbers."""
    from deixis.errors import CaseError
    from deixis.report.compare import side_by_side
    from deixis.report.summary import Summary
    from deixis.runs import read_run

    names = [run.name for run in runs]
    unique = names if len(set(names)) == len(names) else [str(run) for run in runs]
    if len(set(unique)) < len(unique):
        raise CaseError(f"A run is named twice: {' '.join(unique)}. Name each once.")
    summaries = {name: Summary.of(*read_run(run)) for name, run in zip(unique, runs, strict=True)}
    console.say(side_by_side(summaries).removesuffix("\n"))
