"""PixArt-Σ and -α: a transformer over patches with cross-attention over the states of a T5 encoder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from jaxtyping import Float, Int
from torch import Tensor

from deixis.models.adapters import adapt_denoiser
from deixis.models.catalog import Label
from deixis.models.composed import ComposedModel, Parts
from deixis.models.diffusers_files import (
    SCHEDULER,
    check_files,
    class_names,
    part_folder,
    prediction_kind,
    schedule_of,
    scheduler_config,
)
from deixis.models.diffusers_unet import mask_bias, projections_of
from deixis.models.diffusers_vae import DiffusersVAE
from deixis.models.discovery import Layer, discover
from deixis.models.family import Placing
from deixis.models.listening import Arguments, Call, Keywords, Projection
from deixis.models.networks import DIFFUSERS, has_weights, load_network, load_vae
from deixis.models.text_encoders import check_width, load_text, text_folders
from deixis.models.weights import fingerprint
from deixis.types import Context, LatentModel

if TYPE_CHECKING:
    from diffusers.models.transformers.pixart_transformer_2d import PixArtTransformer2DModel

# The second is what PixArt's class was called before it had a name of its own.
TRANSFORMERS = ("PixArtTransformer2DModel", "Transformer2DModel")


class PixArtFamily:
    """Recognises and loads such a folder."""

    def recognises(self, place: Path) -> bool:
        """Whether it names such a transformer over the latents of an AutoencoderKL."""
        named = class_names(place, "transformer")
        return named.get("transformer") in TRANSFORMERS and named.get("vae", "AutoencoderKL") == "AutoencoderKL"

    def load(self, place: Path, label: Label, placing: Placing) -> LatentModel:
        """See `Family.load`."""
        from diffusers.models.transformers.pixart_transformer_2d import PixArtTransformer2DModel

        scheduler = scheduler_config(place, label.scheduler)
        vae_folder = part_folder(place, "vae", placing.vae)
        wanted = {"transformer": place / "transformer", "vae": vae_folder}
        lacking = [f"{part}/config.json" for part, at in wanted.items() if not (at / "config.json").is_file()]
        lacking += [f"{part}/{DIFFUSERS}.safetensors" for part, at in wanted.items() if not has_weights(at, DIFFUSERS)]
        check_files(place, lacking if scheduler else [*lacking, SCHEDULER])
        network = load_network(PixArtTransformer2DModel, place / "transformer", placing.dtype)
        adapt_denoiser(network, "transformer", placing.adapters)
        transformer = cast("PixArtTransformer2DModel", placing.frozen(network))
        folders = text_folders(placing.text_encoder or place)
        text = load_text(folders, label, placing)
        check_width(text, _text_width(transformer), place)
        parts = Parts(
            autoencoder=DiffusersVAE(placing.frozen(load_vae(vae_folder, placing.dtype))),
            text=text,
            denoiser=PixArtTransformer(transformer, text.tokens),
            schedule=schedule_of(scheduler),
            prediction=prediction_kind(scheduler),
        )
        apart = [] if placing.vae is None else [vae_folder]
        apart += [] if placing.text_encoder is None else [folders.network]
        return ComposedModel("pixart", label, parts, fingerprint(place, *apart, *placing.adapters))


FAMILY = PixArtFamily()


def _text_width(transformer: PixArtTransformer2DModel) -> int:
    return int(transformer.config["caption_channels"] or transformer.config["cross_attention_dim"])


class PixArtTransformer:
    """A `Denoiser` over such a transformer; the variance that it predicts beside the noise is left aside."""

    def __init__(self, transformer: PixArtTransformer2DModel, tokens: int) -> None:
        self.module = transformer
        config = transformer.config
        side = int(config["sample_size"])
        self.sides = (side, side)
        self.channels = int(config["in_channels"])
        self._parameter = next(transformer.parameters())
        self.projections = self._discovered(tokens)

    def _discovered(self, tokens: int) -> tuple[Projection, ...]:
        transformer = self.module
        kind: dict[str, Any] = {"device": self._parameter.device, "dtype": self._parameter.dtype}
        latent = torch.zeros(1, self.channels, *self.sides, **kind)
        states = torch.zeros(1, tokens, _text_width(transformer), **kind)
        timestep = torch.zeros(1, dtype=torch.long, device=self._parameter.device)
        layers = [
            Layer(f"transformer_blocks.{index}.attn2", *projections_of(found), found.heads, found.scale)
            for index, block in enumerate(transformer.transformer_blocks)
            if (found := block.attn2) is not None
        ]
        return discover(
            lambda: self._call(latent, timestep, states, None),
            [transformer.pos_embed],
            layers,
            patch=int(transformer.config["patch_size"]),
        )

    def _call(self, latent: Tensor, timestep: Tensor, states: Tensor, mask: Tensor | None) -> Tensor:
        answer: Tensor = self.module(
            latent,
            encoder_hidden_states=states,
            timestep=timestep,
            added_cond_kwargs=self._sizes(latent),
            encoder_attention_mask=mask,
            return_dict=False,
        )[0]
        return answer

    def _sizes(self, latent: Tensor) -> dict[str, Tensor | None]:
        """Height, width and aspect ratio of the image, which the transformers of 1024 px are told."""
        if not self.module.use_additional_conditions:
            return {"resolution": None, "aspect_ratio": None}
        height, width = latent.shape[-2:]
        # Pixels: these models' autoencoders shrink a side eight times.
        size = torch.tensor([[8.0 * height, 8.0 * width]]).to(latent).expand(len(latent), -1)
        return {"resolution": size, "aspect_ratio": size[:, :1] / size[:, 1:]}

    def answer(
        self, latent: Float[Tensor, "case channel row column"], timestep: Int[Tensor, " case"], context: Context
    ) -> Float[Tensor, "case channel row column"]:
        """The noise part of the network's answer, in its own precision."""
        shown, states = latent.to(self._parameter.dtype), context.states.to(self._parameter.dtype)
        return self._call(shown, timestep, states, context.mask)[:, : self.channels]

    def read_call(self, arguments: Arguments, keywords: Keywords) -> Call:
        """Timesteps, text mask and size of a running call."""
        latent, mask = arguments[0], keywords["encoder_attention_mask"]
        return Call(keywords["timestep"], mask_bias(mask, latent.dtype), (latent.shape[-2], latent.shape[-1]))

    def bias(self, context: Context) -> Float[Tensor, "case token"] | None:
        """See `Denoiser.bias`."""
        return mask_bias(context.mask, self._parameter.dtype)

    def text_states(self, context: Context) -> Float[Tensor, "case token dim"]:
        """The states as the transformer projects them before its first layer."""
        states: Tensor = context.states.to(self._parameter.dtype)
        project = self.module.caption_projection
        return states if project is None else project(states)
