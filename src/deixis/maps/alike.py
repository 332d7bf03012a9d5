"""Propagation among positions that look alike, by the affinity of the queries of a site (after DiffSegmenter)."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from deixis.maps.reading import Question, Reader
from deixis.types import Site

# Softmax temperature of cosines between positions: a cosine .1 lower counts e times less (our choice).
TEMPERATURE = 0.1


def alike(
    maps: Float[Tensor, "phrase row column"], reader: Reader, question: Question
) -> Float[Tensor, "phrase row column"]:
    """S·map, with S the row-normalised affinity of an image's positions, on the finest grid among the reader's sites.

    DiffSegmenter takes self-attention for S; here it is a softmax of cosines between the positions' cross-attention
    queries under "", which are kept anyway and cost no further evaluation. Mean over noise levels.
    """
    site = max(reader.sites, key=lambda one: (one.grid[0] * one.grid[1], one.index))
    affinities = [_affinity(reader, site, image) for image in range(len(reader.trajectories))]
    on_grid = functional.interpolate(maps[:, None], site.grid, mode="bilinear", align_corners=False)[:, 0]
    spread = [affinities[image] @ one.flatten() for one, image in zip(on_grid, question.images, strict=True)]
    return torch.stack(spread).reshape(-1, *site.grid)


def alike_twice(
    maps: Float[Tensor, "phrase row column"], reader: Reader, question: Question
) -> Float[Tensor, "phrase row column"]:
    """S²·map; see `alike`."""
    return alike(alike(maps, reader, question), reader, question)


def _affinity(reader: Reader, site: Site, image: int) -> Float[Tensor, "position other"]:
    queries = reader.empty_queries(reader.sites)[site][image].float()
    # Heads side by side, noise levels as a mean: what a position is like, whichever noise lay over it.
    positions = functional.normalize(queries.transpose(1, 2).flatten(2).mean(dim=0), dim=-1)
    return (positions @ positions.T / TEMPERATURE).softmax(dim=-1)
