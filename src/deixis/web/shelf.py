"""What is kept in memory for a while: up to so many bytes, and up to so many seconds without being asked for."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


@dataclass
class _Place(Generic[Kept]):
    value: Kept
    used: float


class Shelf(Generic[Kept]):
    """Values by their keys, the latest used kept longest. For one thread.

    Args:
        limit: bytes; the longest unused go when it is exceeded, the newest stays whatever its size.
        lifetime: seconds after its last use when a value goes.
        size: bytes of a value, asked again each time since values may grow.
        busy: whether a value must not go yet.
        clock: seconds, from any point on.
    """

    def __init__(
        self,
        limit: int,
        lifetime: float,
        size: Callable[[Kept], int],
        busy: Callable[[Kept], bool] = lambda value: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limit, self._lifetime, self._size, self._busy, self._clock = limit, lifetime, size, busy, clock
        self._places: OrderedDict[str, _Place[Kept]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._places)

    @property
    def bytes(self) -> int:
        """What is held."""
        return sum(self._size(place.value) for place in self._places.values())

    def put(self, key: str, value: Kept) -> None:
        """Keep a value."""
        self._places[key] = _Place(value, self._clock())
        self.sweep()

    def get(self, key: str) -> Kept | None:
        """The value of that key, whose lifetime begins anew; None if it is gone."""
        place = self._places.get(key)
        if place is None:
            return None
        place.used = self._clock()
        self._places.move_to_end(key)
        return place.value

    def drop(self, key: str) -> Kept | None:
        """Let a value go at once; gives it, or None."""
        place = self._places.pop(key, None)
        return None if place is None else place.value

    def values(self) -> tuple[Kept, ...]:
        """All values, the longest unused first."""
        return tuple(place.value for place in self._places.values())

    def sweep(self) -> None:
        """Let go what has outlived its time or no longer fits."""
        now = self._clock()
        free = [key for key, place in self._places.items() if not self._busy(place.value)]
        held = self.bytes
        newest = next(reversed(self._places), None)
        for key in free:
            place = self._places[key]
            over = held > self._limit and key != newest
            if over or now - place.used >= self._lifetime:
                held -= self._size(place.value)
                del self._places[key]
