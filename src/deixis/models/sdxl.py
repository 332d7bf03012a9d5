"""Stable Diffusion XL: two CLIP text encoders side by side, their pooled text, and the size of the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float
from torch import Tensor

from deixis.errors import ModelError
from deixis.models.catalog import Label
from deixis.models.composed import ComposedModel, Parts
from deixis.models.diffusers_files import (
    INDEX,
    check_files,
    load_schedule,
    load_text_network,
    load_tokenizer,
    load_unet,
    load_vae,
    names_classes,
    prediction_kind,
    read_json,
)
from deixis.models.diffusers_unet import DiffusersUNet
from deixis.models.diffusers_vae import DiffusersVAE
from deixis.models.family import Placing
from deixis.models.tokens import tokenized
from deixis.models.weights import fingerprint
from deixis.types import Context, LatentModel

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

CLASSES = {
    "unet": "UNet2DConditionModel",
    "vae": "AutoencoderKL",
    "text_encoder": "CLIPTextModel",
    "text_encoder_2": "CLIPTextModelWithProjection",
    "tokenizer": "CLIPTokenizer",
    "tokenizer_2": "CLIPTokenizer",
}
# Both encoders are read before their last layer (Podell et al., arXiv 2307.01952, section 2.1).
LAYER = -2


class SdxlFamily:
    """Recognises and loads such a folder."""

    def recognises(self, folder: Path) -> bool:
        """Whether model_index.json names the six classes of this family."""
        return names_classes(folder, CLASSES)

    def load(self, folder: Path, label: Label, placing: Placing) -> LatentModel:
        """See `Family.load`; the two text encoders are always the folder's own."""
        from transformers import CLIPTextModel, CLIPTextModelWithProjection

        if placing.text_encoder is not None:
            raise ModelError(f"{folder} is a Stable Diffusion XL with two text encoders of its own; give none.")
        check_files(folder, CLASSES)
        encoders = (
            load_text_network(CLIPTextModel, folder / "text_encoder", placing.dtype),
            load_text_network(CLIPTextModelWithProjection, folder / "text_encoder_2", placing.dtype),
        )
        vae, unet = load_vae(folder, placing.dtype), load_unet(folder, placing.dtype)
        for module in (vae, unet, *encoders):
            module.to(placing.device).eval().requires_grad_(False)
        autoencoder = DiffusersVAE(vae)
        text = SdxlText(
            name=label.name,
            tokenizers=(load_tokenizer(folder / "tokenizer"), load_tokenizer(folder / "tokenizer_2")),
            encoders=encoders,
            side=int(unet.config["sample_size"]) * autoencoder.downsampling,
            empty_is_zero=bool(read_json(folder / INDEX).get("force_zeros_for_empty_prompt", True)),
        )
        denoiser = DiffusersUNet(unet, text.tokens)
        parts = Parts(autoencoder, text, denoiser, load_schedule(folder), prediction_kind(folder))
        return ComposedModel("sdxl", label, parts, fingerprint(folder))


FAMILY = SdxlFamily()


@dataclass(frozen=True)
class SdxlText:
    """Texts → the two encoders' states side by side; with them the second one's pooled text, and sizes.

    Args:
        name: the model's, for errors.
        tokenizers: of either encoder.
        encoders: the second one has a projection.
        side: of the image in pixels: said to be original, uncropped and wanted at this size.
        empty_is_zero: whether "" has states of zero, as these models were trained, rather than those of no words.
    """

    name: str
    tokenizers: tuple[CLIPTokenizer, CLIPTokenizer]
    encoders: tuple[Any, Any]
    side: int
    empty_is_zero: bool

    @property
    def tokens(self) -> int:
        """How many tokens fit, begin and end included."""
        return min(int(tokenizer.model_max_length) for tokenizer in self.tokenizers)

    def embed(self, texts: Sequence[str]) -> Context:
        """See `LatentModel.embed`."""
        found = [tokenized(tokenizer, texts, self.tokens, self.name) for tokenizer in self.tokenizers]
        answers = [
            encoder(torch.tensor(one.ids, device=encoder.device), output_hidden_states=True)
            for encoder, one in zip(self.encoders, found, strict=True)
        ]
        states = torch.cat([answer.hidden_states[LAYER] for answer in answers], dim=-1)
        pooled: Float[Tensor, "case dim"] = answers[1].text_embeds
        if self.empty_is_zero:
            said = torch.tensor([bool(text) for text in texts], device=states.device)
            states, pooled = states * said[:, None, None], pooled * said[:, None]
        sizes = torch.tensor([self.side, self.side, 0, 0, self.side, self.side], dtype=pooled.dtype)
        return Context(
            texts=tuple(texts),
            states=states,
            mask=None,
            spans=found[0].spans,
            ends=found[0].ends,
            extra={"text_embeds": pooled, "time_ids": sizes.to(pooled.device).expand(len(texts), -1)},
        )
