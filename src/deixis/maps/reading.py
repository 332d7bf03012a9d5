"""A reader: asks the model about phrases at the latents of one or more images, in batches of bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from deixis.maps.batches import Batches
from deixis.maps.taps import CallTap, Heard, answers
from deixis.types import Context, LatentModel, LatentTrajectory, Phrase, Site

# Makes up an image of each text, from pure noise, and gives its latents at the noise levels that are read.
Generate = Callable[[Context], tuple[LatentTrajectory, ...]]


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
class Reply:
    """What one call of the denoiser gave.

    Args:
        phrases: of each case, which phrase of the question.
        images: which image.
        steps: which noise level.
        heard: the sites that were listened to, in call order.
        noise: what was predicted; None where the call ended after the last site.
    """

    phrases: Int[Tensor, " case"]
    images: Int[Tensor, " case"]
    steps: Int[Tensor, " case"]
    heard: tuple[Heard, ...]
    noise: Float[Tensor, "case channel row column"] | None


@dataclass(frozen=True)
class Reader:
    """Images' latents under one model.

    Args:
        model: the model.
        trajectories: of each image, latents and timesteps at which it is asked; the timesteps are the same for all.
        sites: the cross-attention sites that are read, unless an evidence names its own.
        batches: how many cases go into one call of the denoiser; memory grows with it, not with steps or phrases.
        generate: makes up an image of a text, for evidence that compares with one.
    """

    model: LatentModel
    trajectories: tuple[LatentTrajectory, ...]
    sites: tuple[Site, ...]
    batches: Batches
    generate: Generate | None = None

    @property
    def steps(self) -> int:
        """Latents per image."""
        return len(self.trajectories[0])

    @property
    def device(self) -> torch.device:
        """Where the latents are."""
        return self.trajectories[0].latents.device

    @cached_property
    def alphas_bar(self) -> Float[Tensor, " step"]:
        """ᾱ of every step."""
        return torch.from_numpy(self.model.schedule.alphas_bar[self.trajectories[0].timesteps]).float().to(self.device)

    @cached_property
    def added_noise(self) -> Float[Tensor, "image step channel row column"]:
        """ε that leads from each image's clean latent to the latent that is read: (z - √ᾱ·z₀) / √(1-ᾱ)."""
        alphas = self.alphas_bar[:, None, None, None]
        return torch.stack(
            [(one.latents - alphas.sqrt() * one.clean) / (1 - alphas).sqrt() for one in self.trajectories]
        )

    @cached_property
    def empty(self) -> Context:
        """The text ""."""
        return self.model.embed([""])

    @cached_property
    def empty_noise(self) -> Float[Tensor, "image step channel row column"]:
        """ε predicted with "" at every step; evaluated once for all phrases of an image."""
        replies = self._ask(self._images, self.empty, (), noise=True, each=False)
        noise = torch.cat([reply.noise for reply in replies if reply.noise is not None])
        return noise.reshape(len(self.trajectories), self.steps, *noise.shape[1:])

    def empty_queries(self, sites: Sequence[Site]) -> Mapping[Site, Float[Tensor, "image step head pixel dim"]]:
        """The sites' queries while the model is told "".

        They hardly depend on the text, so that any phrase can be read from them without an evaluation (the query cache
        of OVAM, Marcos-Manchón et al., CVPR 2024).
        """
        return self.queries_told(self.empty, sites)

    def queries_told(
        self, context: Context, sites: Sequence[Site]
    ) -> Mapping[Site, Float[Tensor, "image step head pixel dim"]]:
        """The sites' queries while the model is told one text, the same for every image.

        Evaluated once for a text and sites; each call ends after the last site.
        """
        key = context.texts[0], tuple(sites)
        if key not in self._queries:
            said: dict[Site, list[Tensor]] = {}
            for reply in self._ask(self._images, context, sites, noise=False, each=False):
                for heard in reply.heard:
                    said.setdefault(heard.site, []).append(heard.q)
            found = {site: torch.cat(q) for site, q in said.items()}
            shape = len(self.trajectories), self.steps
            self._queries[key] = {site: q.reshape(*shape, *q.shape[1:]) for site, q in found.items()}
        return self._queries[key]

    def empty_answers(self, sites: Sequence[Site]) -> Mapping[Site, Float[Tensor, "image step pixel channel"]]:
        """What each site adds to its pixels for "", but for a constant."""
        key = tuple(sites)
        if key not in self._answers:
            offered = zip(key, self.model.keys(self.empty, key), strict=True)
            queries = self.empty_queries(key)
            self._answers[key] = {
                site: torch.stack([answers(site, q, one) for q in queries[site]]) for site, one in offered
            }
        return self._answers[key]

    def ask(
        self, question: Question, sites: Sequence[Site], *, noise: bool, steps: Sequence[int] | None = None
    ) -> Iterator[Reply]:
        """Every phrase at every step, or at those named, batch by batch.

        Without `noise` each call ends after the last of the sites.
        """
        return self._ask(question.images, question.context, sites, noise=noise, each=True, at=steps)

    @cached_property
    def _queries(self) -> dict[tuple[str, tuple[Site, ...]], Mapping[Site, Tensor]]:
        return {}

    @cached_property
    def _answers(self) -> dict[tuple[Site, ...], Mapping[Site, Tensor]]:
        return {}

    @property
    def _images(self) -> tuple[int, ...]:
        return tuple(range(len(self.trajectories)))

    def _ask(
        self,
        images: tuple[int, ...],
        context: Context,
        sites: Sequence[Site],
        *,
        noise: bool,
        each: bool,
        at: Sequence[int] | None = None,
    ) -> Iterator[Reply]:
        """Cases of (entry of `images`, step), entry by entry, told its own row of the context or all the first one."""
        levels = range(self.steps) if at is None else at

        def call(cases: range) -> Reply:
            rows = [case // len(levels) for case in cases]
            steps = [levels[case % len(levels)] for case in cases]
            latents = torch.stack(
                [self.trajectories[images[row]].latents[step] for row, step in zip(rows, steps, strict=True)]
            )
            timesteps = torch.from_numpy(self.trajectories[0].timesteps[steps]).to(self.device)
            told, tap, answer = context.take(rows if each else [0] * len(rows)), CallTap(), None
            with self.model.tapped(sites, tap, stop_after_last=not noise) if sites else nullcontext():
                answer = self.model.noise(latents, timesteps, told)
            of_images = [images[row] for row in rows]
            return Reply(
                torch.tensor(rows, device=self.device),
                torch.tensor(of_images, device=self.device),
                torch.tensor(steps, device=self.device),
                tap.heard,
                answer if noise else None,
            )

        return self.batches.through(len(images) * len(levels), call)
