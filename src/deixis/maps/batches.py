"""Batches whose size memory decides: as large as asked, halved where the device has no room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from deixis.errors import ResourceError

Done = TypeVar("Done")


class Batches:
    """Cuts many cases into batches of at most `most`, and remembers where memory set a lower limit.

    Args:
        most: cases in one call of the denoiser.
    """

    def __init__(self, most: int) -> None:
        if most < 1:
            raise ValueError(f"a batch holds at least one case, got {most}")
        self.most = most
        self.asked = most

    def through(self, cases: int, work: Callable[[range], Done]) -> Iterator[Done]:
        """What `work` gives for one batch after another; one that does not fit into memory is tried again by halves.

        `work` must leave nothing behind where it fails.

        Raises:
            ResourceError: there is no room for a single case.
        """
        first = 0
        while first < cases:
            batch = range(first, min(first + self.most, cases))
            try:
                done = work(batch)
            except ResourceError:
                if len(batch) == 1:
                    raise
                self.most = len(batch) // 2
                continue
            yield done
            first = batch.stop

    @property
    def notices(self) -> tuple[str, ...]:
        """What a user should know: that batches had to shrink."""
        if self.most == self.asked:
            return ()
        return (f"Out of memory with more than {self.most} cases in one call; batches of {self.most} were taken.",)
