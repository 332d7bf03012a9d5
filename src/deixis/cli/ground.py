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
    from deixis.types import Grounding, Image, Phrase

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
