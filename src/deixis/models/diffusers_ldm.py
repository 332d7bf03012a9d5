"""The Stable Diffusion family: AutoencoderKL, CLIP text encoder and UNet2DConditionModel in a diffusers folder."""

from __future__ import annotations

from pathlib import Path

import torch

from deixis.models.catalog import Label
from deixis.models.clip_text import ClipText
from deixis.models.composed import ComposedModel, Parts
from deixis.models.diffusers_files import check_files, load_modules, load_schedule, names_family, prediction_kind
from deixis.models.diffusers_unet import DiffusersUNet
from deixis.models.diffusers_vae import DiffusersVAE
from deixis.models.family import Placing
from deixis.models.weights import fingerprint
from deixis.types import LatentModel


class DiffusersFamily:
    """Recognises and loads such a folder."""

    def recognises(self, folder: Path) -> bool:
        """Whether model_index.json names the four classes of this family."""
        return names_family(folder)

    def load(self, folder: Path, label: Label, placing: Placing) -> LatentModel:
        """See `Family.load`."""
        check_files(folder)
        found = load_modules(folder, placing)
        modules: tuple[torch.nn.Module, ...] = (found.unet, found.vae, found.text_encoder)
        for module in modules:
            module.to(placing.device).eval().requires_grad_(False)
        text = ClipText(found.tokenizer, found.text_encoder, label.name)
        parts = Parts(
            autoencoder=DiffusersVAE(found.vae),
            text=text,
            denoiser=DiffusersUNet(found.unet, text.tokens),
            schedule=load_schedule(folder),
            prediction=prediction_kind(folder),
        )
        return ComposedModel("diffusers-ldm", label, parts, fingerprint(*placing.sources(folder)))


FAMILY = DiffusersFamily()
