"""A reader: asks the model about phrases at the latents of one image, in batches of bounded size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from deixis.maps.taps import AttentionSums
from deixis.types import Context, LatentModel, LatentTrajectory, Phrase, Site


@dataclass(frozen=True)
class Question:
    """Phrases as asked, and as the model takes them: one row of `context` per phrase."""

    phrases: tuple[Phrase, ...]
    context: Context

    def __len__(self) -> int:
        return len(self.phrases)


@dataclass(frozen=True)
class Predictions:
    """The noise predicted in one batch, and which phrase and which step each case is of."""

    phrases: list[int]
    steps: list[int]
    noise: Float[Tensor, "case channel row column"]


@dataclass(frozen=True)
class Reader:
    """One image's latents under one model.

    Args:
        model: the model.
        trajectory: latents and timesteps at which it is asked.
        sites: the cross-attention sites that are read.
        batch: most cases in one call of the denoiser; memory grows with it, not with steps or phrases.
    """

    model: LatentModel
    trajectory: LatentTrajectory
    sites: tuple[Site, ...]
    batch: int

    @property
    def evaluations_per_phrase(self) -> int:
        """Evaluations of the denoiser that a phrase costs, beside what is shared by all."""
        return len(self.trajectory)

    @cached_property
    def empty_noise(self) -> Float[Tensor, "step channel row column"]:
        """ε predicted with "" at every step; evaluated once for all phrases of the image."""
        empty = self.model.embed([""])
        batches = self._cases(1)
        return torch.cat([self._noise(steps, empty.take(texts)) for texts, steps in batches])

    def attend(self, context: Context, tap: AttentionSums) -> None:
        """Read the attention of every phrase at every step; each call ends after the last site."""
        for phrases, steps in self._cases(len(context)):
            with self.model.tapped(self.sites, tap.expecting(phrases), stop_after_last=True):
                self._noise(steps, context.take(phrases))

    def predict(self, context: Context, tap: AttentionSums | None) -> Iterator[Predictions]:
        """The noise predicted with every phrase at every step, batch by batch; `tap` reads the attention meanwhile."""
        for phrases, steps in self._cases(len(context)):
            listening = nullcontext() if tap is None else self.model.tapped(self.sites, tap.expecting(phrases))
            with listening:
                noise = self._noise(steps, context.take(phrases))
            yield Predictions(phrases, steps, noise)

    def _cases(self, phrases: int) -> Iterator[tuple[list[int], list[int]]]:
        """Every pair of phrase and step, phrase by phrase, in batches."""
        steps = len(self.trajectory)
        total = phrases * steps
        for first in range(0, total, self.batch):
            cases = range(first, min(first + self.batch, total))
            yield [case // steps for case in cases], [case % steps for case in cases]

    def _noise(self, steps: list[int], context: Context) -> Float[Tensor, "case channel row column"]:
        latents = self.trajectory.latents
        timesteps = torch.from_numpy(self.trajectory.timesteps[steps]).to(latents.device)
        return self.model.noise(latents[steps], timesteps, context)
