"""`deixis ground`: where each phrase lives in each image."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from deixis.cli import console
from deixis.cli.failures import INTERRUPTED, WRONG, as_bug, as_told
from deixis.cli.progress import Bar, progress

if TYPE_CHECKING:
    from deixis.models.counted import CountedModel
    from deixis.recipes import Recipe
    from deixis.types import Grounding, Phrase

Result = TypeVar("Result")


@dataclass(frozen=True)
class Request:
    """What was asked, checked as far as it can be before anything is loaded."""

    phrases: tuple[Phrase, ...]
    model: str
    recipe: Recipe
    device: str
    seed: int
    folder: Path
    formats: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """One image, grounded and written."""

    folder: Path
    groundings: tuple[Grounding, ...]


def ground(
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="PNG, JPEG, TIFF or DICOM files.")],
    phrase: Annotated[
        list[str], typer.Option("--phrase", "-p", help="What to look for; repeat it for further phrases.")
    ],
    model: Annotated[str, typer.Option("--model", "-m", help="A name from `deixis models`, or a folder.")] = "phantom",
    recipe: Annotated[str, typer.Option("--recipe", "-r", help="A name from `deixis recipes`.")] = "guided",
    output: Annotated[Path, typer.Option("--output", "-o", help="Where the results go, a folder per image.")] = Path(
        "deixis-out"
    ),
) -> None:
    pass
