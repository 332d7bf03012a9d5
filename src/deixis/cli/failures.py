"""Which errors are the user's to put right, and what they are told."""

from __future__ import annotations

import os
import traceback

from deixis.errors import DeixisError
from deixis.models.memory import COMPLAINTS

INCOMPLETE, WRONG, INTERRUPTED = 1, 2, 130
DEBUG_VARIABLE = "DEIXIS_DEBUG"
# The kinds among which `as_told` finds those that are not bugs.
TOLD = (DeixisError, MemoryError, RuntimeError, OSError)


def as_told(error: BaseException) -> str | None:
    """What to tell a user of an error that is theirs, or the machine's, to put right; None for a bug of ours."""
    if isinstance(error, DeixisError):
        return str(error)
    if isinstance(error, MemoryError) or any(sign in str(error).lower() for sign in COMPLAINTS):
        return (
            "Out of memory. Close other programs, ground fewer phrases at once, or choose another --device; "
            "`deixis doctor` shows how much memory is free."
        )
    if isinstance(error, OSError):
        return f"The system refused: {error}."
    return None


def as_bug(error: Exception) -> str:
    """What to tell of an error that should not have happened; with ``DEIXIS_DEBUG`` set, all of its traceback."""
    if os.environ.get(DEBUG_VARIABLE):
        return "".join(traceback.format_exception(error))
    last = (str(error).splitlines() or [""])[0]
    return f"Unexpected {type(error).__name__}: {last} This is a bug of deixis; {DEBUG_VARIABLE}=1 shows where it is."
