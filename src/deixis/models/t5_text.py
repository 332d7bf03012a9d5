"""The text part of PixArt: a T5 encoder whose padding neither it nor the denoiser looks at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import torch

from deixis.models.catalog import Label
from deixis.models.family import Placing
from deixis.models.networks import load_t5, load_tokenizer
from deixis.models.text_encoders import TextFolders
from deixis.models.tokens import tokenized
from deixis.types import Context

if TYPE_CHECKING:
    from transformers import T5EncoderModel, T5Tokenizer

# What PixArt-Σ's pipeline pads to (Chen et al., arXiv 2403.04692, section 4.1); T5 itself has no limit.
TOKENS = 300
# T5 ends a text with one token, and begins it with none.
ROOM = 1


def load(folders: TextFolders, label: Label, placing: Placing) -> T5Text:
    """A `T5Text` from its files."""
    from transformers import T5Tokenizer

    encoder = cast("T5EncoderModel", load_t5(folders.network, placing.dtype))
    tokenizer = cast("T5Tokenizer", load_tokenizer(T5Tokenizer, folders.tokenizer))
    return T5Text(tokenizer, placing.frozen(encoder), label)


class T5Text:
    """Texts, in lower case as these models were trained, → last hidden states and the mask of what is no padding."""

    def __init__(self, tokenizer: T5Tokenizer, encoder: T5EncoderModel, label: Label) -> None:
        self._tokenizer, self._encoder, self._label = tokenizer, encoder, label
        config: Any = encoder.config
        self.width = int(config.d_model)
        self.tokens = label.tokens or TOKENS

    def embed(self, texts: Sequence[str]) -> Context:
        """See `LatentModel.embed`."""
        # Letter by letter, so that characters keep their places (a few letters grow when they are lowered).
        shown = ["".join(low if len(low := letter.lower()) == 1 else letter for letter in text) for text in texts]
        found = tokenized(self._tokenizer, shown, self.tokens, self._label.name, room=ROOM)
        device = self._encoder.device
        mask = torch.tensor(found.real, device=device)
        states = self._encoder(torch.tensor(found.ids, device=device), attention_mask=mask).last_hidden_state
        return Context(texts=tuple(texts), states=states, mask=mask.bool(), spans=found.spans, ends=found.ends)
