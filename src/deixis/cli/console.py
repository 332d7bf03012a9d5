"""What reaches the terminal: results on standard output; errors, notices and progress on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


# Columns that no table reaches, so that a pipe gets every row in one line.
WIDE = 1000


def say(text: str) -> None:
    """A line of the result, on standard output."""
    typer.echo(text)


def note(text: str) -> None:
    """A line beside the result, on standard error."""
    typer.echo(text, err=True)


def complain(text: str, *, about: str = "") -> None:
    """One line on standard error for what went wrong, with what it is about in front."""
    line = " ".join(text.split("\n")) if "Traceback" not in text else text
    head = typer.style("error:", fg="red", bold=True)
    typer.echo(f"{head} {about}{': ' if about else ''}{line}", err=True)


def results() -> Console:
    """Standard output for tables; in a pipe it is as wide as its content."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else WIDE, highlight=False, soft_wrap=not sys.stdout.isatty())


def table(*columns: str) -> Table:
    """An empty table in the house's look."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    return made
