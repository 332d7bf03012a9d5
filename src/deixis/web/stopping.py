"""A model whose work can be stopped: between two evaluations of its denoiser, by a user or by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event
from typing import Literal

from jaxtyping import Float, Int
from torch import Tensor

from deixis.models.counted import CountedModel
from deixis.types import Context, LatentModel

Reason = Literal["cancelled", "expired"]


class Stopped(Exception):  # noqa: N818 - no error: somebody asked for it
    """Work that was ended before it was done."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class Stop:
    """Whether to go on: until somebody says no, or the time is over. Asked by the worker, told by anybody."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = float("inf")
        self._said = Event()

    def start(self) -> None:
        """The time runs from now on."""
        self._end = time.monotonic() + self._seconds

    def say(self) -> None:
        """Stop as soon as may be."""
        self._said.set()

    def check(self) -> None:
        """Raise `Stopped` where the work is to end."""
        if self._said.is_set():
            raise Stopped("cancelled")
        if time.monotonic() >= self._end:
            raise Stopped("expired")


class StoppableModel(CountedModel):
    """A counted model that asks before every evaluation whether to go on, and tells of it afterwards.

    Attributes:
        stop: what it asks.
        tell: what it tells of every evaluation.
    """

    def __init__(self, model: LatentModel) -> None:
        super().__init__(model)
        self.stop = Stop(float("inf"))
        self.tell: Callable[[], None] = lambda: None

    def encode(self, pixels: Float[Tensor, "case 1 y x"]) -> Float[Tensor, "case channel row column"]:
        """See `LatentModel.encode`."""
        self.stop.check()
        return super().encode(pixels)

    def noise(
        self, latent: Float[Tensor, "case channel row column"], timestep: Int[Tensor, " case"], context: Context
    ) -> Float[Tensor, "case channel row column"]:
        """See `LatentModel.noise`."""
        self.stop.check()
        try:
            return super().noise(latent, timestep, context)
        finally:  # a pass that stops after its last site leaves by an exception
            self.tell()
