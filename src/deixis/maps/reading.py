"""A reader: asks the model about phrases at the latents of one or more images, in batches of bounded size."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property, partial

import torch
from jaxtyping import Float
from torch import Tensor

from deixis.maps.batches import Batches
from deixis.maps.taps import AttentionSums, QueryTap, answers
from deixis.types import Context, LatentModel, LatentTrajectory, Phrase, Site


@dataclass(frozen=True)
class Question:
    """Phrases as asked, and as the model takes them.

    Args:
        phrases: as asked.
        context: one row per phrase.
        images: which of the reader's images each phrase is asked of.
    """

    phrases: tuple[Phrase, ...]
    context: Context
    images: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.phrases)

    @classmethod
    def of_one_image(cls, phrases: tuple[Phrase, ...], context: Context) -> Question:
        """All phrases asked of the reader's first image."""
        return cls(phrases, context, (0,) * len(phrases))


@dataclass(frozen=True)
class Predictions:
    """The noise predicted in one batch, and which phrase, image and step each case is of."""

    phrases: list[int]
    images: list[int]
    steps: list[int]
    noise: Float[Tensor, "case channel row column"]


@dataclass(frozen=True)
class Reader:
    """Images' latents under one model.

    Args:
        model: the model.
        trajectories: of each image, latents and timesteps at which it is asked; the timesteps are the same for all.
        sites: the cross-attention sites that are read.
        batches: how many cases go into one call of the denoiser; memory grows with it, not with steps or phrases.
    """

    model: LatentModel
    trajectories: tuple[LatentTrajectory, ...]
    sites: tuple[Site, ...]
    batches: Batches

    @property
    def steps(self) -> int:
        """Latents per image."""
        return len(self.trajectories[0])

    @cached_property
    def empty(self) -> Context:
        """The text ""."""
        return self.model.embed([""])

    @cached_property
    def empty_noise(self) -> Float[Tensor, "image step channel row column"]:
        """ε predicted with "" at every step; evaluated once for all phrases of an image."""
        images = tuple(range(len(self.trajectories)))

        def evaluate(cases: range) -> Tensor:
            asked = self._cases(cases)
            return self._noise(asked, images, self.empty.take([0] * len(cases)))

        noise = torch.cat(list(self.batches.through(len(images) * self.steps, evaluate)))
        return noise.reshape(len(images), self.steps, *noise.shape[1:])

    @cached_property
    def empty_queries(self) -> Mapping[Site, Float[Tensor, "image step head pixel dim"]]:
        """The sites' queries while the model is told ""; evaluated once, each call ends after the last site.

        They hardly depend on the text, so that any phrase can be read from them without an evaluation (the query cache
        of OVAM, Marcos-Manchón et al., CVPR 2024).
        """
        images = tuple(range(len(self.trajectories)))
        tap = QueryTap()

        def evaluate(cases: range) -> None:
            with self.model.tapped(self.sites, tap.expecting(), stop_after_last=True):
                self._noise(self._cases(cases), images, self.empty.take([0] * len(cases)))
            tap.keep()

        list(self.batches.through(len(images) * self.steps, evaluate))
        heard = tap.queries()
        return {site: q.reshape(len(images), self.steps, *q.shape[1:]) for site, q in heard.items()}

    @cached_property
    def empty_answers(self) -> Mapping[Site, Float[Tensor, "image step pixel channel"]]:
        """What each site adds to its pixels for "", but for a constant."""
        offered = zip(self.sites, self.model.keys(self.empty, self.sites), strict=True)
        return {site: torch.stack([answers(site, q, one) for q in self.empty_queries[site]]) for site, one in offered}

    def attend(self, question: Question, tap: AttentionSums) -> None:
        """Read the attention of every phrase at every step; each call ends after the last site."""
        for _ in self.batches.through(len(question) * self.steps, partial(self._read, question, tap, early=True)):
            pass

    def predict(self, question: Question, tap: AttentionSums | None) -> Iterator[Predictions]:
        """The noise predicted with every phrase at every step, batch by batch; `tap` reads the attention meanwhile."""
        return self.batches.through(len(question) * self.steps, partial(self._predicted, question, tap))

    def _read(self, question: Question, tap: AttentionSums, cases: range, *, early: bool) -> None:
        phrases, _ = asked = self._cases(cases)
        with self.model.tapped(self.sites, tap.expecting(phrases), stop_after_last=early):
            self._noise(asked, question.images, question.context.take(phrases))
        tap.add()

    def _predicted(self, question: Question, tap: AttentionSums | None, cases: range) -> Predictions:
        phrases, steps = asked = self._cases(cases)
        listening = nullcontext() if tap is None else self.model.tapped(self.sites, tap.expecting(phrases))
        with listening:
            noise = self._noise(asked, question.images, question.context.take(phrases))
        if tap is not None:
            tap.add()
        return Predictions(phrases, [question.images[phrase] for phrase in phrases], steps, noise)

    def _cases(self, cases: range) -> tuple[list[int], list[int]]:
        """Which phrase (or image) and which step each case is: phrase by phrase."""
        return [case // self.steps for case in cases], [case % self.steps for case in cases]

    def _noise(
        self, asked: tuple[list[int], list[int]], images: tuple[int, ...], context: Context
    ) -> Float[Tensor, "case channel row column"]:
        """ε for cases of (phrase, step), each phrase of its image."""
        phrases, steps = asked
        latents = torch.stack([self.trajectories[images[p]].latents[s] for p, s in zip(phrases, steps, strict=True)])
        timesteps = torch.from_numpy(self.trajectories[0].timesteps[steps]).to(latents.device)
        return self.model.noise(latents, timesteps, context)
