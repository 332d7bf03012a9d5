"""BERT encoders of radiology reports under a Stable Diffusion UNet: CXR-BERT, and the text encoder of BioViL-T.

Their repositories bring code of their own (`CXRBertModel`), which is not run: what a denoiser sees are the last hidden
states of a plain BERT, and its weights lie under ``bert.`` in their files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

import torch
from torch import Tensor

from deixis.models.catalog import Label
from deixis.models.family import Placing
from deixis.models.networks import load_tokenizer, text_weights, unfilled
from deixis.models.state_dicts import load_strictly, read_state
from deixis.models.text_encoders import TextFolders
from deixis.models.tokens import tokenized
from deixis.types import Context

if TYPE_CHECKING:
    from transformers import BertModel, BertTokenizer

PREFIX = "bert."
# Heads for training and for whole sentences, and positions that older files spell out; no part of the states.
ASIDE = ("cls.", "cls_projection_head.", "pooler.", "embeddings.position_ids")


def load(folders: TextFolders, label: Label, placing: Placing) -> BertText:
    """A `BertText` from its files.

    Raises:
        ModelError: no weights are there, or they are not those of a BERT.
    """
    from transformers import BertConfig, BertModel, BertTokenizer

    config = folders.config
    with unfilled():
        network = BertModel(BertConfig(**config), add_pooling_layer=False)
    file = text_weights(folders.network)
    load_strictly(network, encoder_state(read_state(file)), file)
    tokenizer = cast("BertTokenizer", load_tokenizer(BertTokenizer, folders.tokenizer))
    encoder = placing.frozen(network.to(placing.dtype))
    # As diffusers' pipelines do it: the encoder sees padding only where its configuration says so.
    return BertText(tokenizer, encoder, label, looks_at_padding=config.get("use_attention_mask") is False)


def encoder_state(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The encoder's own weights: those under ``bert.``, or all; heads are left aside."""
    inside = {key.removeprefix(PREFIX): value for key, value in state.items() if key.startswith(PREFIX)}
    return {key: value for key, value in (inside or state).items() if not key.startswith(ASIDE)}


class BertText:
    """Texts → last hidden states of a BERT, padded; the mask of the padding goes to the denoiser where it wants it."""

    def __init__(
        self, tokenizer: BertTokenizer, encoder: BertModel, label: Label, *, looks_at_padding: bool = False
    ) -> None:
        self._tokenizer, self._encoder, self._label = tokenizer, encoder, label
        self._looks_at_padding = looks_at_padding
        config: Any = encoder.config
        self.width = int(config.hidden_size)
        self.tokens = min(label.tokens or int(tokenizer.model_max_length), int(config.max_position_embeddings))

    def embed(self, texts: Sequence[str]) -> Context:
        """See `LatentModel.embed`."""
        found = tokenized(self._tokenizer, texts, self.tokens, self._label.name)
        device = self._encoder.device
        real = torch.tensor(found.real, device=device)
        seen = torch.ones_like(real) if self._looks_at_padding else real
        states = self._encoder(torch.tensor(found.ids, device=device), attention_mask=seen).last_hidden_state
        mask = real.bool() if self._label.mask_text else None
        return Context(texts=tuple(texts), states=states, mask=mask, spans=found.spans, ends=found.ends)
