"""Attention of the words against what attracts attention without them."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from deixis.maps.attention import MeanAttention, even, mean_over_sites, words_of
from deixis.maps.gathering import Gathering, Scope
from deixis.maps.reading import Question, Reader, Reply
from deixis.maps.taps import Heard, probabilities, stretched
from deixis.maps.token_maps import TokenMaps
from deixis.types import Site

# Below this share of the attention the begin token divides by nothing that was measured.
LEAST = 1e-6


def over_begin(reader: Reader, question: Question, scope: Scope) -> Gathering:
    """As `words`, each token's attention divided by the begin token's: A_token / A_begin (SOS rescaling, GoCA)."""

    def formed(heard: Heard) -> Float[Tensor, "case pixel token"]:
        return heard.probabilities / heard.probabilities[..., :1].clamp(min=LEAST)

    return MeanAttention(reader, scope, words_of(question), formed)


class LessNull(Gathering):
    """As `words`, less what the same positions of the empty text draw: A_token - A_null (a flag of Generate to Ground).

    Each of the two is brought to [0, 1] per site and step first; what falls below 0 is 0. A_null is read with the
    queries of the "" evaluation.
    """

    def __init__(self, reader: Reader, question: Question, scope: Scope) -> None:
        self.sites, self._side, self._scope = scope.sites, reader.model.spec.image_size, scope
        self._reader, self._question = reader, question
        self._weights = even(words_of(question), reader.device)
        self._sums = TokenMaps(self._weights, scope.levels, stretch=False)

    def hear(self, heard: Heard, reply: Reply) -> None:
        weights = self._weights[reply.phrases]
        with_words = stretched(torch.einsum("cpt,cst->csp", heard.probabilities, weights))
        without = stretched(torch.einsum("cpt,cst->csp", self._null(heard.site, reply), weights))
        self._sums.add_maps(heard.site, reply, (with_words - without).clamp(min=0))

    def maps(self) -> Float[Tensor, "phrase row column"]:
        return mean_over_sites(self._sums, self._side)

    def _null(self, site: Site, reply: Reply) -> Float[Tensor, "case pixel token"]:
        """Attention of the "" evaluation at the same images and steps."""
        queries = self._reader.empty_queries(self._scope.sites)[site][reply.images, reply.steps]
        (offered,) = self._reader.model.keys(self._reader.empty, [site])
        bias = None if offered.bias is None else offered.bias.expand(len(queries), -1)
        return probabilities(site, queries, offered.k.expand(len(queries), -1, -1, -1), bias)
