"""A `LatentModel` without weights: its attention and its noise point at a place that the test has chosen."""

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch

from deixis.types import AttentionTap, Box, Context, KeysValues, ModelSpec, Schedule, Site

TOKENS = 12
CELL = 8
# Logits of what attends to the place, and of what avoids it.
STRENGTH = 6.0


class PlantedModel:
    """128 px, three stages of sites; words (or, `upside_down`, the end token) attend inside `place` (model pixels)."""

    def __init__(self, place: Box, *, upside_down: bool = False, name: str = "planted", side: int = 128) -> None:
        self.place, self.upside_down = place, upside_down
        self.calls = 0
        self.largest_batch = 0
        grids = [("down", side // 8), ("down", side // 32), ("middle", side // 32), ("up", side // 32)]
        sites = tuple(
            Site(f"{stage}.{index}", index, "cross", (cells, cells), 2, 1.0, stage)
            for index, (stage, cells) in enumerate(grids)
        )
        self.spec = ModelSpec(
            name, "planted", side, 4, 1.0, CELL, "epsilon", TOKENS, sites, "none", "0" * 64, "planted, not real"
        )
        beta = np.linspace(0.0015**0.5, 0.0205**0.5, 1000) ** 2
        self.schedule = Schedule(np.cumprod(1 - beta))
        self._listening: tuple[Sequence[Site], AttentionTap] | None = None

    def encode(self, pixels):
        return torch.nn.functional.avg_pool2d(pixels, CELL).expand(-1, 4, -1, -1).clone()

    def embed(self, phrases):
        rows = [self._tokens(text) for text in phrases]
        kinds = torch.tensor([[kind for kind, _ in row] for row in rows])
        return Context(
            texts=tuple(phrases),
            states=torch.nn.functional.one_hot(kinds, 5).float(),
            mask=None,
            spans=tuple(tuple(span for _, span in row) for row in rows),
            ends=tuple(next(i for i, (kind, _) in enumerate(row) if kind == 3) for row in rows),
        )

    def noise(self, latent, timestep, context):
        self.calls += len(latent)
        self.largest_batch = max(self.largest_batch, len(latent))
        if self._listening is not None:
            sites, tap = self._listening
            for site in sites:
                tap.receive(site, timestep, *self._attention(site, context), None)
        says = context.states[:, :, 1].amax(dim=1)
        inside = self._inside(latent.shape[-1])
        return 0.1 * (says[:, None, None] * inside)[:, None].expand_as(latent)

    def keys(self, context, sites):
        told = context.states[:, None, :, 3 if self.upside_down else 1, None]
        return tuple(
            KeysValues(self._attention(site, context)[1], told.expand(-1, site.heads, -1, -1), None) for site in sites
        )

    @contextmanager
    def tapped(self, sites, tap, *, stop_after_last=False) -> Iterator[None]:
        self._listening = (sites, tap)
        try:
            yield
        finally:
            self._listening = None

    def _tokens(self, text):
        """(kind, span) of every token; kinds: 0 begin, 1 word, 2 punctuation, 3 end, 4 padding."""
        row = [(0, (0, 0))]
        at = 0
        for word in text.replace(".", " .").split():
            at = text.index(word, at)
            row.append((1 if word.isalnum() else 2, (at, at + len(word))))
            at += len(word)
        return [*row, (3, (0, 0)), *[(4, (0, 0))] * (TOKENS - len(row) - 1)]

    def _inside(self, cells):
        """Share of each cell that lies inside the place."""
        size = self.spec.image_size / cells
        edges = [torch.arange(cells) * size, torch.arange(cells) * size + size]
        cover_y = (edges[1].clamp(max=self.place.y1) - edges[0].clamp(min=self.place.y0)).clamp(min=0) / size
        cover_x = (edges[1].clamp(max=self.place.x1) - edges[0].clamp(min=self.place.x0)).clamp(min=0) / size
        return cover_y[:, None] * cover_x[None, :]

    def _attention(self, site, context):
        inside = self._inside(site.grid[0]).reshape(1, 1, -1, 1)
        q = torch.cat([inside, torch.ones_like(inside)], dim=-1).expand(len(context), site.heads, -1, -1)
        pulls = torch.tensor([0.0, -1.0, 0.0, 1.0, 0.0] if self.upside_down else [0.0, 1.0, 0.0, 0.0, 0.0])
        k = torch.stack([context.states @ pulls * STRENGTH, torch.zeros(context.states.shape[:2])], dim=-1)
        return q, k[:, None].expand(-1, site.heads, -1, -1)


class GaussianModel:
    """The exact denoiser of data N(0, s²): ε*(z, t) = √(1-ᾱ)·z / (ᾱ·s² + 1 - ᾱ)."""

    def __init__(self, schedule: Schedule, spread: float, prediction: str = "epsilon") -> None:
        self.schedule, self.spread = schedule, spread
        self.spec = ModelSpec(
            "gaussian", "exact", 8, 1, 1.0, 8, prediction, 2, (), "none", "0" * 64
        )  # fmt: skip

    def embed(self, phrases):
        spans = ((((0, 0), (0, 0))),) * len(phrases)
        return Context(tuple(phrases), torch.zeros(len(phrases), 2, 1), None, spans, (1,) * len(phrases))

    def noise(self, latent, timestep, context):
        alpha = torch.from_numpy(self.schedule.alphas_bar)[timestep][:, None, None, None]
        return (1 - alpha).sqrt() * latent / self.variance(alpha)

    def encode(self, pixels):
        return pixels

    def keys(self, context, sites):
        return ()

    def tapped(self, sites, tap, *, stop_after_last=False):
        raise NotImplementedError

    def variance(self, alpha):
        return alpha * self.spread**2 + 1 - alpha

    def factor(self, alpha_from: float, alpha_to: float) -> float:
        """What one step multiplies z with."""
        share = math.sqrt(1 - alpha_from) / self.variance(alpha_from)
        clean = (1 - math.sqrt(1 - alpha_from) * share) / math.sqrt(alpha_from)
        return math.sqrt(alpha_to) * clean + math.sqrt(1 - alpha_to) * share
