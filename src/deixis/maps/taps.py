"""Taps that reduce while they read: what they keep does not grow with the number of steps."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from deixis.types import KeysValues, Site


def probabilities(
    site: Site,
    q: Float[Tensor, "case head pixel dim"],
    k: Float[Tensor, "case head token dim"],
    bias: Float[Tensor, "case token"] | None,
) -> Float[Tensor, "case pixel token"]:
    """The model's attention probabilities, mean over heads, in float32; over the tokens they sum to 1."""
    logits = torch.einsum("chpd,chtd->chpt", q.float(), k.float()) * site.scale
    if bias is not None:
        logits = logits + bias.float()[:, None, None, :]
    return logits.softmax(dim=-1).mean(dim=1)


def answers(
    site: Site, q: Float[Tensor, "step head pixel dim"], offered: KeysValues
) -> Float[Tensor, "step pixel channel"]:
    """What a site adds to its pixels for one text, but for a constant: Σ_head softmax(q·k·scale + bias)·v, float32."""
    logits = torch.einsum("shpd,htd->shpt", q.float(), offered.k[0].float()) * site.scale
    if offered.bias is not None:
        logits = logits + offered.bias[0].float()
    # One product over heads and tokens together: the sum over heads comes with it.
    return torch.einsum("shpt,hto->spo", logits.softmax(dim=-1), offered.v[0].float())


class AttentionSums:
    """An `AttentionTap` that adds up, per phrase and site, the maps of each phrase's readings.

    What is kept is ``[phrase slot pixel]`` per site, a slot being a weighted mean over tokens.

    Args:
        weights: for each phrase and slot, how much every token counts.
        stretch: bring each reading's map to [0, 1] by its own minimum and maximum before it is added, as
            arXiv 2404.12920 does per site and step.
    """

    def __init__(self, weights: Float[Tensor, "phrase slot token"], *, stretch: bool) -> None:
        self._weights = weights
        self._stretch = stretch
        self._phrases: Int[Tensor, " case"] = torch.zeros(0, dtype=torch.long)
        self._heard: dict[Site, Float[Tensor, "case slot pixel"]] = {}
        self._sums: dict[Site, Float[Tensor, "phrase slot pixel"]] = {}

    def expecting(self, phrases: Sequence[int]) -> AttentionSums:
        """Says which phrase each case of the next evaluation belongs to; forgets what was not added."""
        self._phrases = torch.tensor(list(phrases), device=self._weights.device)
        self._heard.clear()
        return self

    def receive(
        self,
        site: Site,
        timestep: Int[Tensor, " case"],
        q: Float[Tensor, "case head pixel dim"],
        k: Float[Tensor, "case head token dim"],
        bias: Float[Tensor, "case token"] | None,
    ) -> None:
        """Take one site's maps of the running evaluation."""
        maps = torch.einsum("cpt,cst->csp", probabilities(site, q, k, bias), self._weights[self._phrases])
        self._heard[site] = stretched(maps) if self._stretch else maps

    def add(self) -> None:
        """Add the maps of an evaluation that went through to the sums of their phrases."""
        for site, maps in self._heard.items():
            if site not in self._sums:
                self._sums[site] = maps.new_zeros(len(self._weights), *maps.shape[1:])
            self._sums[site].index_add_(0, self._phrases, maps)
        self._heard.clear()

    def maps(self) -> dict[Site, Float[Tensor, "phrase slot row column"]]:
        """The sums so far, per site in call order."""
        in_order = sorted(self._sums.items(), key=lambda item: item[0].index)
        return {site: total.reshape(*total.shape[:2], *site.grid) for site, total in in_order}


class QueryTap:
    """An `AttentionTap` that keeps the queries themselves, evaluation after evaluation."""

    def __init__(self) -> None:
        self._heard: dict[Site, Float[Tensor, "case head pixel dim"]] = {}
        self._kept: dict[Site, list[Float[Tensor, "case head pixel dim"]]] = {}

    def expecting(self) -> QueryTap:
        """An evaluation begins; forgets what was not kept."""
        self._heard.clear()
        return self

    def receive(
        self,
        site: Site,
        timestep: Int[Tensor, " case"],
        q: Float[Tensor, "case head pixel dim"],
        k: Float[Tensor, "case head token dim"],
        bias: Float[Tensor, "case token"] | None,
    ) -> None:
        """Take one site's queries of the running evaluation."""
        self._heard[site] = q

    def keep(self) -> None:
        """Keep the queries of an evaluation that went through."""
        for site, q in self._heard.items():
            self._kept.setdefault(site, []).append(q)
        self._heard.clear()

    def queries(self) -> dict[Site, Float[Tensor, "case head pixel dim"]]:
        """What was kept, per site in call order."""
        return {site: torch.cat(kept) for site, kept in sorted(self._kept.items(), key=lambda item: item[0].index)}


def stretched(maps: Float[Tensor, "*map pixel"]) -> Float[Tensor, "*map pixel"]:
    """Each map from its minimum to its maximum brought to [0, 1]; a constant map becomes 0."""
    low, high = maps.amin(dim=-1, keepdim=True), maps.amax(dim=-1, keepdim=True)
    span = high - low
    return torch.where(span > 0, (maps - low) / torch.where(span > 0, span, 1), 0)
