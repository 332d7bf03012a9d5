"""A text encoder that remembers: a phrase that comes again costs nothing."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import torch

from deixis.models.parts import Text
from deixis.types import Context

# Bytes of text states that are kept: thousands of phrases of CLIP, hundreds of T5.
LIMIT = 64 * 2**20


class RememberedText:
    """A `Text` that keeps the states of the last phrases, up to `limit` bytes.

    Phrases that are not kept are encoded one at a time, so that a phrase's states depend neither on its neighbours nor
    on what was asked before.
    """

    def __init__(self, text: Text, limit: int = LIMIT) -> None:
        self._text, self._limit = text, limit
        self._kept: OrderedDict[str, Context] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()
        self.tokens, self.width = text.tokens, text.width

    def __len__(self) -> int:
        return len(self._kept)

    def embed(self, texts: Sequence[str]) -> Context:
        """See `LatentModel.embed`."""
        if not texts:
            return self._text.embed(texts)
        with self._lock:
            return stacked([self._one(text) for text in texts])

    def _one(self, text: str) -> Context:
        if text in self._kept:
            self._kept.move_to_end(text)
            return self._kept[text]
        context = self._text.embed([text])
        self._kept[text] = context
        self._bytes += context.nbytes
        while self._bytes > self._limit and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes
        return context


def stacked(contexts: Sequence[Context]) -> Context:
    """One context of the cases of several, in order; all must come from one text encoder, and there is one."""
    first = contexts[0]
    masks = [one.mask for one in contexts if one.mask is not None]
    return Context(
        texts=tuple(text for one in contexts for text in one.texts),
        states=torch.cat([one.states for one in contexts]),
        mask=torch.cat(masks) if masks else None,
        spans=tuple(spans for one in contexts for spans in one.spans),
        ends=tuple(end for one in contexts for end in one.ends),
        extra={name: torch.cat([one.extra[name] for one in contexts]) for name in first.extra},
    )
