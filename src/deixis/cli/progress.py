"""The progress bar: on standard error, and only where that is a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn, TimeElapsedColumn,
)  # fmt: skip
from rich.text import Text


class Bar:
    """Progress over a number of images."""

    def __init__(self, drawn: Progress, images: int) -> None:
        self._drawn = drawn
        self._row = drawn.add_task("loading the model", total=images, spent=int)

    def start(self, image: str, spent: Callable[[], int]) -> None:
        """Say which image is worked on; `spent` is asked again and again for the UNet evaluations so far."""
        self._drawn.update(self._row, description=image, spent=spent)

    def advance(self) -> None:
        """One image more is done."""
        self._drawn.advance(self._row)


class Evaluations(ProgressColumn):
    """Asks for the count at every redraw, so that nothing that computes needs to know of the bar."""

    def render(self, task: Task) -> Text:
        """The count so far."""
        return Text(f"{task.fields['spent']()} UNet evaluations", style="dim")


@contextmanager
def progress(images: int) -> Iterator[Bar]:
    """A bar over `images`, gone when the block ends; in a pipe nothing is shown."""
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn(),
        Evaluations(), TimeElapsedColumn(),
    )  # fmt: skip
    # Standard output carries results and is left alone; lines on standard error scroll above the bar.
    with Progress(
        *columns, console=console, transient=True, redirect_stdout=False, disable=not console.is_terminal
    ) as drawn:
        yield Bar(drawn, images)
