"""The Stable Diffusion family: AutoencoderKL, CLIP text encoder and UNet2DConditionModel in a diffusers folder."""

from __future__ import annotations

from pathlib import Path

from deixis.errors import ModelError
from deixis.models.catalog import Label
from deixis.models.clip_text import ClipText
from deixis.models.composed import ComposedModel, Parts
from deixis.models.diffusers_files import (
    check_files,
    load_clip,
    load_schedule,
    load_unet,
    load_vae,
    names_classes,
    prediction_kind,
)
from deixis.models.diffusers_unet import DiffusersUNet
from deixis.models.diffusers_vae import DiffusersVAE
from deixis.models.family import Placing
from deixis.models.weights import fingerprint
from deixis.types import LatentModel

CLASSES = {
    "unet": "UNet2DConditionModel",
    "vae": "AutoencoderKL",
    "text_encoder": "CLIPTextModel",
    "tokenizer": "CLIPTokenizer",
}


class DiffusersFamily:
    """Recognises and loads such a folder."""

    def recognises(self, folder: Path) -> bool:
        """Whether model_index.json names the four classes of this family."""
        return names_classes(folder, CLASSES)

    def load(self, folder: Path, label: Label, placing: Placing) -> LatentModel:
        """See `Family.load`."""
        check_files(folder, CLASSES)
        tokenizer, encoder = load_clip(placing.text_encoder or folder, placing.dtype)
        vae, unet = load_vae(folder, placing.dtype), load_unet(folder, placing.dtype)
        if unet.config["addition_embed_type"] is not None:
            raise ModelError(
                f"The UNet in {folder} takes more than one text, which this kind of folder cannot give it."
            )
        for module in (vae, unet, encoder):
            module.to(placing.device).eval().requires_grad_(False)
        text = ClipText(tokenizer, encoder, label.name)
        parts = Parts(
            autoencoder=DiffusersVAE(vae),
            text=text,
            denoiser=DiffusersUNet(unet, text.tokens),
            schedule=load_schedule(folder),
            prediction=prediction_kind(folder),
        )
        return ComposedModel("diffusers-ldm", label, parts, fingerprint(*placing.sources(folder)))


FAMILY = DiffusersFamily()
