"""The fusion table: several evidences of one phrase become one map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from deixis.maps.information import standardised
from deixis.registry import Table

Maps = Sequence[Float[Tensor, "phrase row column"]]
AnyGrid = Sequence[Float[Tensor, "phrase _ _"]]


class Fusion(Protocol):
    """Merges maps that lie on one grid."""

    def __call__(self, maps: Maps, weights: Sequence[float]) -> Float[Tensor, "phrase row column"]:
        """One map per phrase, >= 0; `weights` say how much each evidence counts."""
        ...


FUSIONS: Table[Fusion] = Table(
    kind="fusion",
    group="deixis.fusions",
    builtin={
        "product": "deixis.maps.fusion:product",
        "mean": "deixis.maps.fusion:mean",
        "standardised": "deixis.maps.fusion:standardised_mean",
        "rank": "deixis.maps.fusion:rank",
    },
)


def fused(maps: AnyGrid, weights: Sequence[float], fusion: str) -> Float[Tensor, "phrase finest_row finest_column"]:
    """The maps under the named fusion, on the finest of their grids; a single map is left as it is."""
    if len(maps) == 1:
        return maps[0]
    finest = max((one.shape[-2:] for one in maps), key=lambda grid: grid[0] * grid[1])
    return FUSIONS[fusion]([_on(one, tuple(finest)) for one in maps], weights)


def product(maps: Maps, weights: Sequence[float]) -> Float[Tensor, "phrase row column"]:
    """Π (map / its maximum)^weight: high where all agree, 0 where one says no; a geometric mean if weights sum to 1."""
    merged = torch.ones_like(maps[0])
    for one, weight in zip(maps, weights, strict=True):
        merged = merged * _to_one(one).pow(weight)
    return merged


def mean(maps: Maps, weights: Sequence[float]) -> Float[Tensor, "phrase row column"]:
    """Weighted mean of the maps, each divided by its maximum."""
    total = sum(weight * _to_one(one) for one, weight in zip(maps, weights, strict=True))
    return torch.as_tensor(total) / sum(weights)


def standardised_mean(maps: Maps, weights: Sequence[float]) -> Float[Tensor, "phrase row column"]:
    """Weighted mean of the standardised maps; what falls below 0 is 0."""
    total = sum(weight * standardised(one) for one, weight in zip(maps, weights, strict=True))
    return (torch.as_tensor(total) / sum(weights)).clamp(min=0)


def rank(maps: Maps, weights: Sequence[float]) -> Float[Tensor, "phrase row column"]:
    """Weighted mean of the pixels' ranks within each map, in [0, 1]; equal pixels share the lower rank."""
    total = sum(weight * _ranks(one) for one, weight in zip(maps, weights, strict=True))
    return torch.as_tensor(total) / sum(weights)


def _on(maps: Float[Tensor, "phrase height width"], grid: tuple[int, ...]) -> Float[Tensor, "phrase row column"]:
    if tuple(maps.shape[-2:]) == grid:
        return maps
    return functional.interpolate(maps[:, None], grid, mode="bilinear", align_corners=False)[:, 0]


def _to_one(maps: Float[Tensor, "phrase row column"]) -> Float[Tensor, "phrase row column"]:
    """Each map divided by its maximum, nothing below 0; a map of zeros stays one."""
    positive = maps.clamp(min=0)
    highest = positive.amax(dim=(-2, -1), keepdim=True)
    return positive / torch.where(highest > 0, highest, 1)


def _ranks(maps: Float[Tensor, "phrase row column"]) -> Float[Tensor, "phrase row column"]:
    flat = maps.flatten(1).contiguous()
    below = torch.searchsorted(flat.sort(dim=1).values, flat)
    return (below / max(1, flat.shape[1] - 1)).reshape(maps.shape)
