"""The progress bar: on standard error, and only where that is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text


class Bar:
    """Progress over a number of items."""

    def __init__(self, drawn: Progress, items: int | None) -> None:
        self._drawn = drawn
        self._row = drawn.add_task("", total=items, spent=None)

    def start(self, item: str, spent: Callable[[], int] | None = None) -> None:
        """Say what is worked on; `spent` is asked again and again for the UNet evaluations so far."""
        self._drawn.update(self._row, description=escape(item), spent=spent)

    def advance(self, items: int = 1) -> None:
        """So many items more are done."""
        self._drawn.advance(self._row, items)

    @property
    def shown(self) -> bool:
        """Whether there is a terminal to see it."""
        return not self._drawn.disable


class Evaluations(ProgressColumn):
    """Asks for the count at every redraw, so that nothing that computes needs to know of the bar."""

    def render(self, task: Task) -> Text:
        """The count so far."""
        spent = task.fields["spent"]
        return Text(f"{spent()} UNet evaluations" if spent else "", style="dim")


@contextmanager
def progress(items: int | None) -> Iterator[Bar]:
    """A bar over `items`, None where nobody knows how many, gone when the block ends; in a pipe nothing is shown."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(),
        TimeElapsedColumn(), Evaluations(),
    )  # fmt: skip
    # Standard output carries results and is left alone; lines on standard error scroll above the bar.
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, disable=not console.is_terminal
    ) as drawn:
        yield Bar(drawn, items)
