"""A job: phrases asked of an image, and what has come of it so far."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from typing import Literal

from deixis.recipes import Recipe
from deixis.types import Grounding, Image, Phrase
from deixis.web.problems import Problem
from deixis.web.stopping import Stop

State = Literal["waiting", "running", "done", "failed", "cancelled", "expired"]
OVER = frozenset({"done", "failed", "cancelled", "expired"})


def token() -> str:
    """A name that nobody guesses."""
    return secrets.token_urlsafe(18)


@dataclass(frozen=True)
class Held:
    """An image that the service holds.

    Args:
        image: as read.
        content: hash of what was sent, under which it stays opened.
        header: of a DICOM file what stands before its pixels, else nothing.
        id: how requests call it.
    """

    image: Image
    content: str
    header: bytes = field(default=b"", repr=False)
    id: str = field(default_factory=token)

    @property
    def bytes(self) -> int:
        """What it takes in memory."""
        return int(self.image.pixels.nbytes) + len(self.header)


@dataclass(frozen=True)
class Order:
    """What is asked.

    Args:
        phrases: at least one.
        recipe: how the image is read.
        seed: which noise.
    """

    phrases: tuple[Phrase, ...]
    recipe: Recipe
    seed: int = 0


class Job:
    """An order for an image. All but `stop` belongs to the thread of the event loop."""

    def __init__(self, held: Held, order: Order, stop: Stop) -> None:
        self.id = token()
        self.held, self.order, self.stop = held, order, stop
        self.state: State = "waiting"
        self.groundings: list[Grounding] = []
        self.evaluations = 0
        self.problem: Problem | None = None
        self.started = self.ended = 0.0
        self._changed = asyncio.Event()

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self.state in OVER

    @property
    def bytes(self) -> int:
        """What its results take in memory."""
        arrays = ((one.heat.values, one.heat.seen, one.mask) for one in self.groundings)
        return sum(array.nbytes for three in arrays for array in three)

    def change(self) -> asyncio.Event:
        """Is set at the next change; take it before you look, then nothing is missed."""
        return self._changed

    def begin(self) -> None:
        """The worker has it."""
        self.state, self.started = "running", time.monotonic()
        self._ring()

    def spent(self, evaluations: int) -> None:
        """So many evaluations of the denoiser so far."""
        self.evaluations = evaluations
        self._ring()

    def add(self, grounding: Grounding) -> None:
        """One phrase more is answered."""
        self.groundings.append(grounding)
        self._ring()

    def end(self, state: State, problem: Problem | None = None) -> None:
        """Nothing more will come; the first word on this stays."""
        if not self.over:
            self.state, self.problem, self.ended = state, problem, time.monotonic()
            self._ring()

    async def wait(self) -> None:
        """Until it is over."""
        while not self.over:
            await self._changed.wait()

    def _ring(self) -> None:
        old, self._changed = self._changed, asyncio.Event()
        old.set()
