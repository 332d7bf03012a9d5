"""A `LatentModel` put together from an autoencoder, a text encoder, a denoiser and a noise schedule."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from deixis.models.catalog import Label
from deixis.models.listening import listening
from deixis.models.memory import within_memory
from deixis.models.parts import Autoencoder, Denoiser, Text
from deixis.models.prediction import to_noise
from deixis.models.remembered import RememberedText
from deixis.types import AttentionTap, Context, KeysValues, ModelSpec, PredictionKind, Schedule, Site


@dataclass(frozen=True)
class Parts:
    """What a family puts together.

    Args:
        autoencoder: pixels → latent.
        text: texts → states.
        denoiser: the network that is read.
        schedule: ᾱ of every timestep.
        prediction: what the denoiser answers.
    """

    autoencoder: Autoencoder
    text: Text
    denoiser: Denoiser
    schedule: Schedule
    prediction: PredictionKind


class ComposedModel:
    """The five verbs over three parts; families build it, `deixis.load` gives it."""

    def __init__(self, family: str, label: Label, parts: Parts, weights_sha256: str) -> None:
        self._parts = parts
        self._text = RememberedText(parts.text)
        denoiser, autoencoder = parts.denoiser, parts.autoencoder
        device = next(denoiser.module.parameters()).device
        self._alphas_bar = torch.tensor(parts.schedule.alphas_bar, dtype=torch.float32, device=device)
        self._spec = ModelSpec(
            name=label.name,
            family=family,
            image_size=denoiser.sides[0] * autoencoder.downsampling,
            latent_channels=denoiser.channels,
            latent_scale=autoencoder.scale,
            downsampling=autoencoder.downsampling,
            prediction=parts.prediction,
            tokens=parts.text.tokens,
            sites=tuple(projection.site for projection in denoiser.projections),
            licence=label.licence,
            weights_sha256=weights_sha256,
            notice=label.notice,
        )

    @property
    def spec(self) -> ModelSpec:
        """What it is."""
        return self._spec

    @property
    def weights_bytes(self) -> int:
        """Bytes of all weights of all networks."""
        parts = (self._parts.autoencoder, self._parts.text, self._parts.denoiser)
        networks = {one for part in parts for one in vars(part).values() if isinstance(one, torch.nn.Module)}
        return sum(weight.nbytes for network in networks for weight in network.parameters())

    @property
    def schedule(self) -> Schedule:
        """ᾱ of every timestep."""
        return self._parts.schedule

    @torch.no_grad()
    def encode(self, pixels: Float[Tensor, "case 1 y x"]) -> Float[Tensor, "case channel row column"]:
        """See `LatentModel.encode`."""
        with within_memory(len(pixels)):
            return self._parts.autoencoder.encode(pixels)

    @torch.no_grad()
    def embed(self, phrases: Sequence[str]) -> Context:
        """See `LatentModel.embed`."""
        return self._text.embed(phrases)

    @torch.no_grad()
    def noise(
        self, latent: Float[Tensor, "case channel row column"], timestep: Int[Tensor, " case"], context: Context
    ) -> Float[Tensor, "case channel row column"]:
        """Predicted ε in the precision of `latent`."""
        with within_memory(len(latent)):
            answer = self._parts.denoiser.answer(latent, timestep, context).to(latent.dtype)
        return to_noise(self._spec.prediction, answer, latent, self._alphas_bar[timestep])

    @torch.no_grad()
    def keys(self, context: Context, sites: Sequence[Site]) -> tuple[KeysValues, ...]:
        """See `LatentModel.keys`."""
        denoiser = self._parts.denoiser
        states, bias = denoiser.text_states(context), denoiser.bias(context)
        chosen = (denoiser.projections[site.index] for site in sites)
        return tuple(KeysValues(one.keys(one.to_k(states)), one.values(one.to_v(states)), bias) for one in chosen)

    def tapped(
        self, sites: Sequence[Site], tap: AttentionTap, *, stop_after_last: bool = False
    ) -> AbstractContextManager[None]:
        """See `LatentModel.tapped`."""
        denoiser = self._parts.denoiser
        chosen = [denoiser.projections[site.index] for site in sites]
        return listening(
            denoiser.module, chosen, tap, denoiser.read_call, denoiser.sides, stop_after_last=stop_after_last
        )
