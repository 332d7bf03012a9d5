"""Errors as failures of an item: whose fault, and what to say of it."""

from __future__ import annotations

import traceback
from pathlib import Path

from deixis.cohort.attempts import DEATHS
from deixis.cohort.fetch import UnreachableError
from deixis.cohort.items import Kind
from deixis.errors import DeixisError, ImageError, ModelError, PhraseError, ReportError, ResourceError

# The first that fits.
FAULTS: tuple[tuple[type[BaseException], Kind], ...] = (
    (UnreachableError, "unreachable"),
    (ImageError, "image"),
    (PhraseError, "phrase"),
    (ReportError, "report"),
    (ResourceError, "memory"),
    (MemoryError, "memory"),
    (ModelError, "model"),
)


def fault(error: BaseException) -> Kind:
    """Whose fault an error is; "bug" where it is none that a user can put right."""
    return next((kind for of, kind in FAULTS if isinstance(error, of)), "bug")


def told(error: BaseException) -> str:
    """What to say of it; of a bug also where it came from."""
    if isinstance(error, DeixisError):
        return str(error)
    if isinstance(error, MemoryError):
        return "Out of memory. Take fewer --workers, or a smaller --batch."
    last = traceback.extract_tb(error.__traceback__)[-1:]
    at = "".join(f" at {Path(frame.filename).name}:{frame.lineno}" for frame in last)
    return f"Unexpected {type(error).__name__}{at}: {error} This is a bug of deixis."


def set_aside(doing: str) -> str:
    """What to say of an image that is left alone."""
    return (
        f"It ended its worker {DEATHS} times as it was being {doing}, and was set aside. "
        "Look at the file; --retry-failed tries it again."
    )


def refused(folder: Path, error: OSError) -> str:
    """What to say where results can no longer be written."""
    reason = (error.strerror or str(error)).lower()
    return f"{folder} cannot be written ({reason}). Make room, or put it right; the same command then goes on."
