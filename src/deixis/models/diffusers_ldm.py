"""The Stable Diffusion family: a UNet2DConditionModel under one text encoder, with an AutoencoderKL.

Its folders differ in what they hold. RoentGen and Stable Diffusion itself have all parts; models under a text encoder
of radiology reports have a UNet and little else, the rest comes from where `Placing` says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from deixis.errors import ModelError
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
from deixis.models.diffusers_unet import DiffusersUNet
from deixis.models.diffusers_vae import DiffusersVAE
from deixis.models.family import Placing
from deixis.models.networks import DIFFUSERS, has_weights, load_network, load_vae
from deixis.models.parts import Text
from deixis.models.text_encoders import check_width, load_text, text_folders
from deixis.models.weights import fingerprint
from deixis.types import LatentModel

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

UNET, VAE = "UNet2DConditionModel", "AutoencoderKL"


class DiffusersFamily:
    """Recognises and loads such a folder."""

    def recognises(self, place: Path) -> bool:
        """Whether it names such a UNet, no second text encoder, and no other kind of autoencoder."""
        named = class_names(place)
        return named.get("unet") == UNET and "text_encoder_2" not in named and named.get("vae", VAE) == VAE

    def load(self, place: Path, label: Label, placing: Placing) -> LatentModel:
        """See `Family.load`."""
        scheduler = scheduler_config(place, label.scheduler)
        vae_folder = part_folder(place, "vae", placing.vae)
        check_files(place, missing(place, vae_folder, placing, scheduler))
        folders = text_folders(placing.text_encoder or place)
        text = load_text(folders, label, placing)
        unet, vae = load_denoiser(place / "unet", placing), load_vae(vae_folder, placing.dtype)
        check_width(text, unet.config["cross_attention_dim"], place)
        if unet.config["addition_embed_type"] is not None:
            raise ModelError(f"The UNet in {place} takes more than one text, which this kind of folder cannot give it.")
        parts = stable_diffusion(unet, placing.frozen(vae), text, scheduler)
        apart = [] if placing.vae is None else [vae_folder]
        apart += [] if placing.text_encoder is None else [folders.network]
        return ComposedModel("diffusers-ldm", label, parts, fingerprint(place, *apart, *placing.adapters))


FAMILY = DiffusersFamily()


def load_denoiser(folder: Path, placing: Placing) -> UNet2DConditionModel:
    """The UNet in `folder`, with what the adapters change in it."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    unet = cast("UNet2DConditionModel", load_network(UNet2DConditionModel, folder, placing.dtype))
    adapt_denoiser(unet, "unet", placing.adapters)
    return placing.frozen(unet)


def stable_diffusion(unet: UNet2DConditionModel, vae: AutoencoderKL, text: Text, scheduler: Mapping[str, Any]) -> Parts:
    """Frozen networks and a scheduler's configuration, put together as all models of Stable Diffusion's kin are."""
    return Parts(
        autoencoder=DiffusersVAE(vae),
        text=text,
        denoiser=DiffusersUNet(unet, text.tokens),
        schedule=schedule_of(scheduler),
        prediction=prediction_kind(scheduler),
    )


def missing(place: Path, vae: Path, placing: Placing, scheduler: Mapping[str, Any]) -> Iterator[str]:
    """Files that are neither in the folder nor where `placing` says."""
    for part, folder in (("unet", place / "unet"), ("vae", vae)):
        if not (folder / "config.json").is_file():
            yield f"{part}/config.json"
        if not has_weights(folder, DIFFUSERS):
            yield f"{part}/{DIFFUSERS}.safetensors"
    if placing.text_encoder is None:
        if not (place / "text_encoder" / "config.json").is_file():
            yield "text_encoder/config.json"
        if not (place / "tokenizer").is_dir():
            yield "tokenizer"
    if not scheduler:
        yield SCHEDULER
