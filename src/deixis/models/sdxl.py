"""Stable Diffusion XL: two CLIP text encoders side by side, their pooled text, and the size of the image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
from jaxtyping import Float
from torch import Tensor

from deixis.errors import ModelError
from deixis.models.adapters import adapt_text
from deixis.models.catalog import Label
from deixis.models.composed import ComposedModel
from deixis.models.diffusers_files import INDEX, check_files, class_names, part_folder, read_json, scheduler_config
from deixis.models.diffusers_ldm import UNET, VAE, load_denoiser, missing, stable_diffusion
from deixis.models.family import Placing
from deixis.models.networks import load_clip, load_tokenizer, load_vae
from deixis.models.tokens import tokenized
from deixis.models.weights import fingerprint
from deixis.types import Context, LatentModel

if TYPE_CHECKING:
    from transformers import CLIPTokenizer

SECOND = ("text_encoder_2", "tokenizer_2")
# Both encoders are read before their last layer (Podell et al., arXiv 2307.01952, section 2.1).
LAYER = -2


class SdxlFamily:
    """Recognises and loads such a folder."""

    def recognises(self, place: Path) -> bool:
        """Whether model_index.json names such a UNet, its autoencoder, and a second text encoder beside the first."""
        named = class_names(place)
        return named.get("unet") == UNET and named.get("vae", VAE) == VAE and {"text_encoder", *SECOND} <= set(named)

    def load(self, place: Path, label: Label, placing: Placing) -> LatentModel:
        """See `Family.load`; the two text encoders are always the folder's own."""
        from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

        if placing.text_encoder is not None:
            raise ModelError(f"{place} is a Stable Diffusion XL with two text encoders of its own; give none.")
        scheduler = scheduler_config(place, label.scheduler)
        vae_folder = part_folder(place, "vae", placing.vae)
        check_files(place, [*missing(place, vae_folder, placing, scheduler), *_missing_second(place)])
        unet, vae = load_denoiser(place / "unet", placing), placing.frozen(load_vae(vae_folder, placing.dtype))
        encoders = {"text_encoder": CLIPTextModel, "text_encoder_2": CLIPTextModelWithProjection}
        text = SdxlText(
            name=label.name,
            tokenizers=cast(
                "tuple[CLIPTokenizer, CLIPTokenizer]",
                tuple(load_tokenizer(CLIPTokenizer, place / part) for part in ("tokenizer", "tokenizer_2")),
            ),
            encoders=cast(
                "tuple[Any, Any]",
                tuple(_encoder(network, place, part, placing) for part, network in encoders.items()),
            ),
            side=image_side(unet, vae),
            empty_is_zero=bool(read_json(place / INDEX).get("force_zeros_for_empty_prompt", True)),
        )
        apart = [] if placing.vae is None else [vae_folder]
        parts = stable_diffusion(unet, vae, text, scheduler)
        return ComposedModel("sdxl", label, parts, fingerprint(place, *apart, *placing.adapters))


FAMILY = SdxlFamily()


def image_side(unet: Any, vae: Any) -> int:
    """Pixels along a side of the image that the UNet was trained on."""
    return int(unet.config["sample_size"]) * 2 ** (len(vae.config["block_out_channels"]) - 1)


def _encoder(network: Any, place: Path, part: str, placing: Placing) -> torch.nn.Module:
    encoder = load_clip(network, place / part, placing.dtype)
    adapt_text(encoder, part, placing.adapters)
    return placing.frozen(encoder)


def _missing_second(place: Path) -> Iterator[str]:
    for file in ("text_encoder_2/config.json", "tokenizer_2"):
        if not (place / file).exists():
            yield file


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

    @property
    def width(self) -> int:
        """Of both states side by side."""
        return sum(int(encoder.config.hidden_size) for encoder in self.encoders)

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
