"""A model that counts how often its denoiser is evaluated: the one place where evaluations are counted."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

from jaxtyping import Float, Int
from torch import Tensor

from deixis.types import AttentionTap, Context, KeysValues, LatentModel, ModelSpec, Schedule, Site


class CountedModel:
    """A `LatentModel` that passes every verb on and counts: one evaluation per case of a batch.

    Attributes:
        evaluations: all of them.
        empty: those with "", which serve all phrases of an image.
    """

    def __init__(self, model: LatentModel) -> None:
        self._model = model
        self.evaluations = 0
        self.empty = 0

    @property
    def spec(self) -> ModelSpec:
        """What it is."""
        return self._model.spec

    @property
    def weights_bytes(self) -> int:
        """Bytes of all weights; 0 for a model that does not tell."""
        return int(getattr(self._model, "weights_bytes", 0))

    @property
    def schedule(self) -> Schedule:
        """ᾱ of every timestep."""
        return self._model.schedule

    def encode(self, pixels: Float[Tensor, "case 1 y x"]) -> Float[Tensor, "case channel row column"]:
        """See `LatentModel.encode`."""
        return self._model.encode(pixels)

    def embed(self, phrases: Sequence[str]) -> Context:
        """See `LatentModel.embed`."""
        return self._model.embed(phrases)

    def noise(
        self, latent: Float[Tensor, "case channel row column"], timestep: Int[Tensor, " case"], context: Context
    ) -> Float[Tensor, "case channel row column"]:
        """See `LatentModel.noise`; a pass that stops after its last site counts in full."""
        self.evaluations += len(latent)
        self.empty += sum(text == "" for text in context.texts)
        return self._model.noise(latent, timestep, context)

    def keys(self, context: Context, sites: Sequence[Site]) -> tuple[KeysValues, ...]:
        """See `LatentModel.keys`."""
        return self._model.keys(context, sites)

    def tapped(
        self, sites: Sequence[Site], tap: AttentionTap, *, stop_after_last: bool = False
    ) -> AbstractContextManager[None]:
        """See `LatentModel.tapped`."""
        return self._model.tapped(sites, tap, stop_after_last=stop_after_last)
