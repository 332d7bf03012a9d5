"""The text part of the Stable Diffusion family and of the MONAI model: one CLIP encoder, its last hidden states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

import torch

from deixis.models.adapters import adapt_text
from deixis.models.catalog import Label
from deixis.models.family import Placing
from deixis.models.networks import load_clip, load_tokenizer
from deixis.models.text_encoders import TextFolders
from deixis.models.tokens import tokenized
from deixis.types import Context

if TYPE_CHECKING:
    from transformers import CLIPTextModel, CLIPTokenizer


def load(folders: TextFolders, label: Label, placing: Placing) -> ClipText:
    """A `ClipText` from its files, with what the adapters in `placing` change in it."""
    from transformers import CLIPTextModel, CLIPTokenizer

    encoder = cast("CLIPTextModel", load_clip(CLIPTextModel, folders.network, placing.dtype))
    adapt_text(encoder, "text_encoder", placing.adapters)
    tokenizer = cast("CLIPTokenizer", load_tokenizer(CLIPTokenizer, folders.tokenizer))
    return ClipText(tokenizer, placing.frozen(encoder), label.name)


class ClipText:
    """Texts → last hidden states, padded to the tokenizer's length as these pipelines do; the padding is looked at."""

    def __init__(self, tokenizer: CLIPTokenizer, encoder: CLIPTextModel, name: str) -> None:
        self._tokenizer, self._encoder, self._name = tokenizer, encoder, name
        self.width = int(encoder.config.hidden_size)
        # A tokenizer whose files name no length claims an astronomic one; the encoder's positions are the limit then.
        self.tokens = min(int(tokenizer.model_max_length), int(encoder.config.max_position_embeddings))

    def embed(self, texts: Sequence[str]) -> Context:
        """See `LatentModel.embed`."""
        found = tokenized(self._tokenizer, texts, self.tokens, self._name)
        states = self._encoder(torch.tensor(found.ids, device=self._encoder.device))[0]
        return Context(texts=tuple(texts), states=states, mask=None, spans=found.spans, ends=found.ends)
