"""The text part of the Stable Diffusion family and of the MONAI model: one CLIP encoder, its last hidden states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from deixis.models.tokens import tokenized
from deixis.types import Context

if TYPE_CHECKING:
    from transformers import CLIPTextModel, CLIPTokenizer


class ClipText:
    """Texts → last hidden states, padded to the tokenizer's length as these pipelines do; the padding is looked at."""

    def __init__(self, tokenizer: CLIPTokenizer, encoder: CLIPTextModel, name: str) -> None:
        self._tokenizer, self._encoder, self._name = tokenizer, encoder, name
        # A tokenizer whose files name no length claims an astronomic one; the encoder's positions are the limit then.
        self.tokens = min(int(tokenizer.model_max_length), int(encoder.config.max_position_embeddings))

    def embed(self, texts: Sequence[str]) -> Context:
        """See `LatentModel.embed`."""
        found = tokenized(self._tokenizer, texts, self.tokens, self._name)
        states = self._encoder(torch.tensor(found.ids, device=self._encoder.device))[0]
        return Context(texts=tuple(texts), states=states, mask=None, spans=found.spans, ends=found.ends)
