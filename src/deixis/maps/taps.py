"""What is heard of cross-attention in one call of the denoiser, and what it means."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float, Int
from torch import Tensor

from deixis.types import KeysValues, Site


@dataclass(frozen=True)
class Heard:
    """One site in one call of the denoiser; what is formed of it is formed once, for all who ask.

    Args:
        site: which.
        q: its queries.
        k: its keys.
        bias: of the text mask, None where the site looks at every token.
    """

    site: Site
    q: Float[Tensor, "case head pixel dim"]
    k: Float[Tensor, "case head token dim"]
    bias: Float[Tensor, "case token"] | None

    @cached_property
    def probabilities(self) -> Float[Tensor, "case pixel token"]:
        """The model's attention probabilities, mean over heads, in float32; over the tokens they sum to 1."""
        return probabilities(self.site, self.q, self.k, self.bias)

    def logits(self) -> Float[Tensor, "case head pixel token"]:
        """What the softmax is taken of, in float32."""
        return logits(self.site, self.q, self.k, self.bias)


class CallTap:
    """An `AttentionTap` that keeps the queries and keys of one call, for those who reduce them once it went through.

    They are small beside what the call itself needs, and a call that fails leaves nothing behind.
    """

    def __init__(self) -> None:
        self._said: list[tuple[Site, Tensor, Tensor, Tensor | None]] = []

    def receive(
        self,
        site: Site,
        timestep: Int[Tensor, " case"],
        q: Float[Tensor, "case head pixel dim"],
        k: Float[Tensor, "case head token dim"],
        bias: Float[Tensor, "case token"] | None,
    ) -> None:
        """Take one site of the running call."""
        self._said.append((site, q, k, bias))

    @property
    def heard(self) -> tuple[Heard, ...]:
        """The sites in call order, nothing formed of them yet."""
        return tuple(Heard(*said) for said in self._said)


def logits(
    site: Site,
    q: Float[Tensor, "case head pixel dim"],
    k: Float[Tensor, "case head token dim"],
    bias: Float[Tensor, "case token"] | None,
) -> Float[Tensor, "case head pixel token"]:
    """q·k·scale + bias, in float32."""
    products = torch.einsum("chpd,chtd->chpt", q.float(), k.float()) * site.scale
    return products if bias is None else products + bias.float()[:, None, None, :]


def probabilities(
    site: Site,
    q: Float[Tensor, "case head pixel dim"],
    k: Float[Tensor, "case head token dim"],
    bias: Float[Tensor, "case token"] | None,
) -> Float[Tensor, "case pixel token"]:
    """The model's attention probabilities, mean over heads, in float32; over the tokens they sum to 1."""
    return logits(site, q, k, bias).softmax(dim=-1).mean(dim=1)


def answers(
    site: Site, q: Float[Tensor, "step head pixel dim"], offered: KeysValues
) -> Float[Tensor, "step pixel channel"]:
    """What a site adds to its pixels for one text, but for a constant: Σ_head softmax(q·k·scale + bias)·v, float32."""
    products = torch.einsum("shpd,htd->shpt", q.float(), offered.k[0].float()) * site.scale
    if offered.bias is not None:
        products = products + offered.bias[0].float()
    # One product over heads and tokens together: the sum over heads comes with it.
    return torch.einsum("shpt,hto->spo", products.softmax(dim=-1), offered.v[0].float())


def stretched(maps: Float[Tensor, "*map pixel"]) -> Float[Tensor, "*map pixel"]:
    """Each map from its minimum to its maximum brought to [0, 1]; a constant map becomes 0."""
    low, high = maps.amin(dim=-1, keepdim=True), maps.amax(dim=-1, keepdim=True)
    span = high - low
    return torch.where(span > 0, (maps - low) / torch.where(span > 0, span, 1), 0)
