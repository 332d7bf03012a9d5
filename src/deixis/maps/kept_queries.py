"""Words read with queries that another text left behind: no evaluation for the phrase itself."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress

import torch
from jaxtyping import Float
from torch import Tensor

from deixis.errors import PhraseError
from deixis.maps.attention import even, mean_over_sites, words_of
from deixis.maps.gathering import Gathering, Scope
from deixis.maps.reading import Question, Reader, Reply
from deixis.maps.response import row_of
from deixis.maps.taps import probabilities
from deixis.maps.token_maps import TokenMaps
from deixis.types import Context, Site

Queries = Mapping[Site, Float[Tensor, "image step head pixel dim"]]


class KeptQueries(Gathering):
    """As `words`, of the phrase's keys under queries that were kept (the query cache of OVAM, CVPR 2024)."""

    def __init__(self, reader: Reader, question: Question, scope: Scope, queries: Queries) -> None:
        self._reader, self._question, self._scope, self._queries = reader, question, scope, queries
        self._side = reader.model.spec.image_size

    def maps(self) -> Float[Tensor, "phrase row column"]:
        sums = TokenMaps(even(words_of(self._question), self._reader.device), self._scope.levels, stretch=True)
        steps = torch.arange(self._reader.steps, device=self._reader.device)
        for site in self._scope.sites:
            (offered,) = self._reader.model.keys(self._question.context, [site])
            for phrase, image in enumerate(self._question.images):
                one, queries = row_of(offered, phrase), self._queries[site][image]
                bias = None if one.bias is None else one.bias.expand(len(steps), -1)
                formed = probabilities(site, queries, one.k.expand(len(steps), -1, -1, -1), bias)
                where = torch.full_like(steps, phrase)
                mine = Reply(where, torch.full_like(steps, image), steps, (), None)
                mean = torch.einsum("cpt,cst->csp", formed, sums.weights[where])
                sums.add_maps(site, mine, mean)
        return mean_over_sites(sums, self._side)


def words(reader: Reader, question: Question, scope: Scope) -> Gathering:
    """Under the queries of the "" evaluation."""
    return KeptQueries(reader, question, scope, reader.empty_queries(scope.sites))


def told_all(reader: Reader, question: Question, scope: Scope) -> Gathering:
    """Under the queries of an evaluation that is told all phrases of the question at once (dual prompt, after FA-Seg).

    The whole text drives the values, each phrase supplies the keys that are read. Phrases that do not fit into the
    model's text together are left out of it, the last ones first.
    """
    texts = list(dict.fromkeys(phrase.text.rstrip(".") for phrase in question.phrases))
    return KeptQueries(reader, question, scope, reader.queries_told(_fitting(reader, texts), scope.sites))


def _fitting(reader: Reader, texts: list[str]) -> Context:
    """As many of the texts as one prompt takes; a single one that is too long raises `PhraseError`."""
    for count in range(len(texts), 1, -1):
        with suppress(PhraseError):
            return reader.model.embed([". ".join(texts[:count]) + "."])
    return reader.model.embed([texts[0] + "."])
