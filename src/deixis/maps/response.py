"""Read from kept queries: any phrase, without another evaluation of the denoiser.

An evaluation with "" leaves each site's queries. A phrase's keys and values then say, by a softmax alone, where its
words would be looked at, and how much the site's answer would change.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from deixis.maps.gathering import Gathering, Scope
from deixis.maps.information import standardised
from deixis.maps.reading import Question, Reader
from deixis.maps.taps import answers
from deixis.types import KeysValues, Site


class Response(Gathering):
    """How much the phrase changes what the sites answer to the queries of the "" evaluation.

    Per site, with A the attention probabilities and V the values under the output projection: the mean over steps of
    Σ_channel (Σ_head A_c·V_c - Σ_head A_u·V_u)², for the phrase (c) and for "" (u). It is the information map
    (`deixis.maps.information`) at first order, where the text enters the network, and like it has a fixed sign:
    a phrase changes the answer where it applies, whichever of its tokens carry the meaning. On the finest grid among
    the sites; several sites are standardised and added. From 0.
    """

    def __init__(self, reader: Reader, question: Question, scope: Scope) -> None:
        self._reader, self._question, self._scope = reader, question, scope

    def maps(self) -> Float[Tensor, "phrase row column"]:
        total = torch.as_tensor(sum(self._on_grid(self._changed(site)) for site in self._scope.sites))
        return total - total.amin(dim=(-2, -1), keepdim=True)

    def _changed(self, site: Site) -> Float[Tensor, "phrase row column"]:
        """Mean squared change of one site's answer, one phrase after another: memory holds the steps of one."""
        reader, question, sites = self._reader, self._question, self._scope.sites
        queries, unsaid = reader.empty_queries(sites)[site], reader.empty_answers(sites)[site]
        (offered,) = reader.model.keys(question.context, [site])
        maps = []
        for row, image in enumerate(question.images):
            change = answers(site, queries[image], row_of(offered, row)) - unsaid[image]
            maps.append((change.square().sum(dim=-1) * self._scope.levels[:, None]).sum(dim=0))
        return torch.stack(maps).reshape(-1, *site.grid)

    def _on_grid(self, maps: Float[Tensor, "phrase height width"]) -> Float[Tensor, "phrase row column"]:
        """Standardised, on the finest grid among the sites."""
        finest = max((site.grid for site in self._scope.sites), key=lambda grid: grid[0] * grid[1])
        if tuple(maps.shape[-2:]) != finest:
            maps = functional.interpolate(maps[:, None], finest, mode="bilinear", align_corners=False)[:, 0]
        return standardised(maps)


def row_of(offered: KeysValues, row: int) -> KeysValues:
    """The keys and values of one text."""
    at = slice(row, row + 1)
    return KeysValues(offered.k[at], offered.v[at], None if offered.bias is None else offered.bias[at])
