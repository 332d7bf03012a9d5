"""Stable Diffusion 1, 2 and XL in a single file, as its own training code writes it: `.safetensors` or `.ckpt`.

diffusers knows what its keys became; the architecture is read off the shapes. The file holds no tokenizer: all three
generations share CLIP's, which is taken from a folder that has it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from torch import Tensor

from deixis.errors import ModelError
from deixis.models.adapters import adapt_denoiser, adapt_text
from deixis.models.catalog import LABEL_FILE, Label
from deixis.models.clip_text import ClipText
from deixis.models.composed import ComposedModel
from deixis.models.diffusers_ldm import stable_diffusion
from deixis.models.family import Placing
from deixis.models.finding import locate
from deixis.models.networks import clip_name, load_tokenizer, unfilled
from deixis.models.sdxl import SdxlText, image_side
from deixis.models.single_file_layout import (
    CLIP,
    OPEN_CLIP,
    UNET,
    VAE,
    XL_CLIP,
    XL_OPEN_CLIP,
    Generation,
    clip_config,
    generation,
    open_clip_config,
    open_clip_layers,
    unet_config,
    vae_config,
)
from deixis.models.state_dicts import key_names, load_strictly, read_state
from deixis.models.text_encoders import text_folders
from deixis.models.weights import fingerprint
from deixis.types import LatentModel

if TYPE_CHECKING:
    from torch import nn
    from transformers import CLIPTokenizer

SUFFIXES = (".safetensors", ".ckpt", ".pth", ".pt")
# Training noise of all three generations (Rombach et al., CVPR 2022, and their configurations).
NOISE = {
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "num_train_timesteps": 1000,
}
# Side of the latent on which each was trained; the second generation has one for each kind of prediction.
SIDES: Mapping[tuple[Generation, str], int] = {
    ("1", "epsilon"): 64,
    ("2", "epsilon"): 64,
    ("2", "v_prediction"): 96,
    ("xl", "epsilon"): 128,
}
# What CLIP's tokenizer is padded with: the end, or what OpenCLIP takes for it.
END, OPEN_END = "<|endoftext|>", "!"
# A line of the configuration that is published beside a file.
PARAMETERIZATION = re.compile(r"parameterization:\s*[\"']?(\w+)")


class SingleFileFamily:
    """Recognises and loads such a file."""

    def recognises(self, place: Path) -> bool:
        """Whether it is a file with the keys of a UNet, an autoencoder and a text encoder of these generations."""
        return place.is_file() and place.suffix in SUFFIXES and generation(key_names(place)) is not None

    def load(self, place: Path, label: Label, placing: Placing) -> LatentModel:
        """See `Family.load`; `placing.text_encoder` is where the tokenizer is taken from."""
        if placing.vae is not None:
            raise ModelError(f"{place} holds an autoencoder of its own; give none.")
        state = read_state(place)
        which = cast("Generation", generation(state))
        scheduler = {**NOISE, "prediction_type": _prediction(place, which), **label.scheduler}
        build = _Builder(place, state, placing)
        unet = build.unet(which, SIDES.get((which, scheduler["prediction_type"]), 64))
        vae = build.vae(which)
        tokenizers = _tokenizers(placing, place)
        text = build.text(which, tokenizers, label, image_side(unet, vae))
        parts = stable_diffusion(unet, vae, text, scheduler)
        return ComposedModel("single-file", label, parts, fingerprint(place, *placing.adapters))


FAMILY = SingleFileFamily()


class _Builder:
    """Networks out of one state dict."""

    def __init__(self, place: Path, state: Mapping[str, Tensor], placing: Placing) -> None:
        self.place, self.state, self.placing = place, state, placing

    def unet(self, which: Generation, side: int) -> Any:
        from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint
        from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

        config = unet_config(self.state, which, side)
        with unfilled():
            unet = UNet2DConditionModel(**config)
        part = {key: value for key, value in self.state.items() if key.startswith(UNET)}
        self._fill(unet, convert_ldm_unet_checkpoint(part, unet.config))
        adapt_denoiser(unet, "unet", self.placing.adapters)
        return self.placing.frozen(unet)

    def vae(self, which: Generation) -> Any:
        from diffusers.loaders.single_file_utils import convert_ldm_vae_checkpoint
        from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

        with unfilled():
            vae = AutoencoderKL(**vae_config(self.state, which))
        part = {key: value for key, value in self.state.items() if key.startswith(VAE)}
        self._fill(vae, convert_ldm_vae_checkpoint(part, vae.config))
        return self.placing.frozen(vae)

    def text(
        self, which: Generation, tokenizers: tuple[CLIPTokenizer, CLIPTokenizer], label: Label, side: int
    ) -> ClipText | SdxlText:
        ending, exclaiming = tokenizers
        if which == "1":
            return ClipText(ending, self._clip(CLIP), label.name)
        if which == "2":
            # The last layer is not read, as in the configuration of this generation.
            layers = open_clip_layers(self.state, OPEN_CLIP) - 1
            return ClipText(exclaiming, self._open_clip(OPEN_CLIP, layers, projected=False), label.name)
        second = self._open_clip(XL_OPEN_CLIP, open_clip_layers(self.state, XL_OPEN_CLIP), projected=True)
        return SdxlText(label.name, tokenizers, (self._clip(XL_CLIP), second), side, empty_is_zero=True)

    def _clip(self, prefix: str) -> Any:
        from transformers import CLIPTextConfig, CLIPTextModel

        with unfilled():
            encoder = CLIPTextModel(CLIPTextConfig(**clip_config(self.state, prefix)))
        part = {f"text_model.{k.removeprefix(prefix)}": v for k, v in self.state.items() if k.startswith(prefix)}
        self._fill(encoder, part)
        adapt_text(encoder, "text_encoder", self.placing.adapters)
        return self.placing.frozen(encoder)

    def _open_clip(self, prefix: str, layers: int, *, projected: bool) -> Any:
        from diffusers.loaders.single_file_utils import convert_open_clip_checkpoint
        from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

        config = CLIPTextConfig(**open_clip_config(self.state, prefix, layers=layers))
        with unfilled():
            encoder = (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)
        unread = f"{prefix}transformer.resblocks.{layers}."
        part = {k: v for k, v in self.state.items() if k.startswith(prefix) and not k.startswith(unread)}
        converted = convert_open_clip_checkpoint(encoder, part, prefix=prefix)
        if not projected:
            converted.pop("text_projection.weight", None)
        self._fill(encoder, converted)
        adapt_text(encoder, "text_encoder_2" if projected else "text_encoder", self.placing.adapters)
        return self.placing.frozen(encoder)

    def _fill(self, network: nn.Module, state: Mapping[str, Tensor]) -> None:
        """Every weight of a network from the file, renamed to what this version of the library calls it."""
        wanted = {key: value for key, value in state.items() if not key.endswith("position_ids")}
        load_strictly(network, wanted, self.place, clip_name(network))
        network.to(self.placing.dtype)


def _prediction(place: Path, which: Generation) -> str:
    """What the UNet answers: the file's published configuration says it, or its generation leaves no choice."""
    published = place.with_suffix(".yaml")
    said = PARAMETERIZATION.search(published.read_text(encoding="utf-8")) if published.is_file() else None
    if said is not None:
        return "v_prediction" if said[1] == "v" else "epsilon"
    if which != "2" or place.with_suffix(f".{LABEL_FILE}").is_file():
        return "epsilon"
    raise ModelError(
        f"{place} is a Stable Diffusion 2, of which some predict the noise and some the velocity, and the file does "
        f"not say which. Put its published configuration {published.name} beside it, or a {place.stem}.{LABEL_FILE} "
        "with "
        '{"scheduler": {"prediction_type": "epsilon"}} or "v_prediction".'
    )


def _tokenizers(placing: Placing, place: Path) -> tuple[CLIPTokenizer, CLIPTokenizer]:
    """CLIP's tokenizer twice: padded with the end, and as OpenCLIP pads."""
    from transformers import CLIPTokenizer

    folder = text_folders(placing.text_encoder or _tokenizer_here(place)).tokenizer
    ending, exclaiming = (cast("CLIPTokenizer", load_tokenizer(CLIPTokenizer, folder)) for _ in range(2))
    ending.pad_token, exclaiming.pad_token = END, OPEN_END
    return ending, exclaiming


def _tokenizer_here(place: Path) -> Path:
    for name in ("stable-diffusion-1-5", "stable-diffusion-2-1"):
        try:
            return locate(name, fetch=False).place
        except ModelError:
            continue
    raise ModelError(
        f"{place} holds no tokenizer, as no single file does. Name a folder of Stable Diffusion, any generation, that "
        "has one: --text-encoder PATH."
    )
