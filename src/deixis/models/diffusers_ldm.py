"""The Stable Diffusion family: AutoencoderKL, CLIP text encoder and UNet2DConditionModel in a diffusers folder.

The adapter. Files are the business of `diffusers_files`, attention layers that of `diffusers_sites`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor

from deixis.errors import PhraseError
from deixis.models.catalog import Label
from deixis.models.diffusers_files import Parts, check_files, load_parts, load_schedule, names_family, prediction_kind
from deixis.models.diffusers_sites import discover
from deixis.models.listening import Arguments, Call, Keywords, Projection, listening
from deixis.models.memory import within_memory
from deixis.models.prediction import to_noise
from deixis.models.weights import fingerprint
from deixis.types import AttentionTap, Context, LatentModel, ModelSpec, Schedule, Site

# Below -10000 a probability underflows to 0 in every precision; it is the constant that the UNet itself adds.
MASKED = -10000.0
# Characters of a phrase that an error text repeats.
QUOTED = 60


class DiffusersFamily:
    """Recognises and loads such a folder."""

    def recognises(self, folder: Path) -> bool:
        """Whether model_index.json names the four classes of this family."""
        return names_family(folder)

    def load(self, folder: Path, label: Label, device: torch.device, dtype: torch.dtype) -> LatentModel:
        """The model on `device`; the weights are cast to `dtype` whatever precision they are stored in."""
        check_files(folder)
        parts = load_parts(folder, dtype)
        modules: tuple[torch.nn.Module, ...] = (parts.unet, parts.vae, parts.text_encoder)
        for module in modules:
            module.to(device).eval().requires_grad_(False)
        return DiffusersLDM(folder, label, parts)


FAMILY = DiffusersFamily()


class DiffusersLDM:
    """A `LatentModel` over one diffusers folder; use `deixis.load`."""

    def __init__(self, folder: Path, label: Label, parts: Parts) -> None:
        self._parts = parts
        self._schedule = load_schedule(folder)
        self._alphas_bar = torch.tensor(self._schedule.alphas_bar, dtype=torch.float32, device=parts.unet.device)
        self._projections = discover(parts.unet, parts.tokenizer.model_max_length)
        unet, vae = parts.unet.config, parts.vae.config
        downsampling = 2 ** (len(vae["block_out_channels"]) - 1)
        self._spec = ModelSpec(
            name=label.name,
            family="diffusers-ldm",
            image_size=unet["sample_size"] * downsampling,
            latent_channels=unet["in_channels"],
            latent_scale=vae["scaling_factor"],
            downsampling=downsampling,
            prediction=prediction_kind(folder),
            tokens=parts.tokenizer.model_max_length,
            sites=tuple(projection.site for projection in self._projections),
            licence=label.licence,
            weights_sha256=fingerprint(folder),
            notice=label.notice,
        )

    @property
    def spec(self) -> ModelSpec:
        """What it is."""
        return self._spec

    @property
    def schedule(self) -> Schedule:
        """ᾱ of every timestep, from the scheduler's configuration."""
        return self._schedule

    @torch.no_grad()
    def encode(self, pixels: Float[Tensor, "case 1 y x"]) -> Float[Tensor, "case channel row column"]:
        """Pixels in [0, 1] → float32 latent on the model's device: the posterior mean times the latent scale."""
        vae = self._parts.vae
        shown = (2 * pixels - 1).to(vae.device, vae.dtype).expand(-1, vae.config["in_channels"], -1, -1)
        with within_memory(len(pixels)):
            mean: Tensor = vae.encode(shown).latent_dist.mode().float()
        return (mean - (vae.config["shift_factor"] or 0.0)) * self._spec.latent_scale

    @torch.no_grad()
    def embed(self, phrases: Sequence[str]) -> Context:
        """Texts → last hidden states, padded to the tokenizer's length as the pipelines of this family do."""
        tokenizer, encoder = self._parts.tokenizer, self._parts.text_encoder
        limit = self._spec.tokens
        encoded = tokenizer(
            list(phrases),
            padding="max_length",
            max_length=limit,
            truncation=False,
            return_offsets_mapping=True,
        )
        for text, ids in zip(phrases, encoded["input_ids"], strict=True):
            if len(ids) > limit:
                raise PhraseError(
                    f"The phrase makes {len(ids) - 2} tokens, and {limit - 2} fit into {self._spec.name!r}. Shorten "
                    f"it or ask in parts: {_beginning(text)!r}."
                )
        ids = torch.tensor(encoded["input_ids"], device=encoder.device)
        return Context(
            texts=tuple(phrases),
            states=encoder(ids)[0],
            mask=None,  # the UNets of this family look at every token, padding included
            spans=tuple(tuple((int(a), int(b)) for a, b in row) for row in encoded["offset_mapping"]),
            ends=tuple(sum(row) - 1 for row in encoded["attention_mask"]),
        )

    @torch.no_grad()
    def noise(
        self, latent: Float[Tensor, "case channel row column"], timestep: Int[Tensor, " case"], context: Context
    ) -> Float[Tensor, "case channel row column"]:
        """Predicted ε in the precision of `latent`."""
        unet = self._parts.unet
        with within_memory(len(latent)):
            answer = unet(
                latent.to(unet.dtype),
                timestep,
                context.states.to(unet.dtype),
                encoder_attention_mask=context.mask,
                return_dict=False,
            )[0].to(latent.dtype)
        return to_noise(self._spec.prediction, answer, latent, self._alphas_bar[timestep])

    @torch.no_grad()
    def keys(self, context: Context, sites: Sequence[Site]) -> tuple[Float[Tensor, "case head token dim"], ...]:
        """The sites' keys for a text, without evaluating the denoiser."""
        states = context.states.to(self._parts.unet.dtype)
        chosen = (self._projections[site.index] for site in sites)
        return tuple(projection.keys(projection.to_k(states)) for projection in chosen)

    def tapped(
        self, sites: Sequence[Site], tap: AttentionTap, *, stop_after_last: bool = False
    ) -> AbstractContextManager[None]:
        """See `LatentModel.tapped`."""
        chosen: list[Projection] = [self._projections[site.index] for site in sites]
        return listening(self._parts.unet, chosen, tap, _read_call, stop_after_last=stop_after_last)


def _read_call(arguments: Arguments, keywords: Keywords) -> Call:
    mask = keywords["encoder_attention_mask"]
    return Call(arguments[1], None if mask is None else (1 - mask.to(arguments[0].dtype)) * MASKED)


def _beginning(text: str) -> str:
    return text if len(text) <= QUOTED else text[:QUOTED] + "…"
