"""Sums of the maps of chosen tokens, per phrase and site, over all noise levels."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from deixis.maps.reading import Reply
from deixis.maps.taps import Heard, stretched
from deixis.types import Site


class TokenMaps:
    """Adds up maps ``[phrase slot pixel]`` per site, a slot being a weighted mean over tokens.

    Args:
        weights: for each phrase and slot, how much every token counts.
        levels: how much each noise level counts.
        stretch: bring each reading's map to [0, 1] by its own minimum and maximum before it is added, as
            arXiv 2404.12920 does per site and step.
    """

    def __init__(
        self, weights: Float[Tensor, "phrase slot token"], levels: Float[Tensor, " step"], *, stretch: bool
    ) -> None:
        self.weights, self._levels, self._stretch = weights, levels, stretch
        self._sums: dict[Site, Float[Tensor, "phrase slot pixel"]] = {}

    def add(self, heard: Heard, reply: Reply, attention: Float[Tensor, "case pixel token"] | None = None) -> None:
        """One site of a call; `attention` in the place of the model's own probabilities."""
        formed = heard.probabilities if attention is None else attention
        self.add_maps(heard.site, reply, torch.einsum("cpt,cst->csp", formed, self.weights[reply.phrases]))

    def add_maps(self, site: Site, reply: Reply, maps: Float[Tensor, "case slot pixel"]) -> None:
        """Maps that were formed already."""
        if self._stretch:
            maps = stretched(maps)
        if site not in self._sums:
            self._sums[site] = maps.new_zeros(len(self.weights), *maps.shape[1:])
        self._sums[site].index_add_(0, reply.phrases, maps * self._levels[reply.steps][:, None, None])

    def maps(self) -> dict[Site, Float[Tensor, "phrase slot row column"]]:
        """The sums so far, per site in call order."""
        in_order = sorted(self._sums.items(), key=lambda item: item[0].index)
        return {site: total.reshape(*total.shape[:2], *site.grid) for site, total in in_order}
