"""Running out of memory, said in words that help."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from deixis.errors import ResourceError

# How torch's CPU and GPU allocators begin their complaints; on the CPU it is a plain RuntimeError.
COMPLAINTS = ("can't allocate memory", "not enough memory", "out of memory")


@contextmanager
def within_memory(cases: int) -> Iterator[None]:
    """Turn an allocation that fails in the block into a `ResourceError`; every other error passes."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if isinstance(error, RuntimeError) and not any(text in str(error).lower() for text in COMPLAINTS):
            raise
        raise ResourceError(
            f"Out of memory with {cases} cases in one call of the model. Close other programs, take a smaller batch, "
            "or another device."
        ) from error
