"""From a map on the model's grid to a grounding: heat, mask and boxes in the file's own pixels, and how they came."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from itertools import combinations
from types import MappingProxyType

import numpy as np
from jaxtyping import Bool, Float, Float32

from deixis.geometry import resized
from deixis.maps.boxes import boxes_of
from deixis.maps.masks import cut
from deixis.maps.plan import Found
from deixis.maps.refine import refined
from deixis.opening import Fitted, Way
from deixis.recipes import Recipe
from deixis.types import Grounding, ModelSpec, Phrase, Provenance

REPORTED = ("deixis", "torch", "diffusers", "transformers", "numpy")


@dataclass(frozen=True)
class Cost:
    """What a grounding took.

    Args:
        seconds: wall time.
        evaluations: of the denoiser.
    """

    seconds: float
    evaluations: int


@dataclass(frozen=True)
class Asked:
    """A phrase and the image that it was asked of."""

    fitted: Fitted
    phrase: Phrase


def grounding(found: Found, asked: Asked, spec: ModelSpec, way: Way, cost: Cost) -> Grounding:
    """Refine, cut and find boxes; what was found may lie on any grid of the model's square."""
    recipe, image, placement = way.recipe, asked.fitted.image, asked.fitted.placement
    heat, cell_mask = finished(found.map, placement.model, recipe)
    native = placement.to_native(heat ** np.float32(recipe.level), order=recipe.back)
    mask = placement.mask_to_native(cell_mask)
    least = recipe.minimum_area * float(native.seen.sum())
    boxes = boxes_of(mask, native.values, minimum_area=least)
    model_notices = (spec.notice,) if spec.notice else ()
    provenance = Provenance(
        model=spec.name,
        weights_sha256=spec.weights_sha256,
        recipe=recipe.name,
        seed=way.seed,
        versions=versions(),
        seconds=cost.seconds,
        unet_evaluations=cost.evaluations,
        notices=(*model_notices, *image.notices, *way.batches.notices),
    )
    calibration = recipe.presence.get(spec.name)
    presence = None if calibration is None or found.strength is None else calibration(found.strength)
    if presence is not None and presence < recipe.minimum_presence:
        boxes = ()
    stability, agreement = (_overlap_of(maps, placement.model, recipe) for maps in (found.halves, found.alone))
    return Grounding(image, asked.phrase, native, mask, boxes, provenance, stability, agreement, presence)


def finished(
    evidence: Float[np.ndarray, "row column"], side: tuple[int, int], recipe: Recipe
) -> tuple[Float32[np.ndarray, "y x"], Bool[np.ndarray, "y x"]]:
    """Heat in the model's square before `Recipe.level`, and its mask."""
    heat = refined(resized(evidence, side), recipe.smoothing, recipe.gamma)
    return heat, cut(heat, recipe.threshold, recipe.minimum_peak)


def _overlap_of(maps: Sequence[Float[np.ndarray, "row column"]], side: tuple[int, int], recipe: Recipe) -> float | None:
    """Mean overlap of every two of the maps' masks; None for fewer than two."""
    masks = [finished(one, side, recipe)[1] for one in maps]
    pairs = [overlap(*two) for two in combinations(masks, 2)]
    return sum(pairs) / len(pairs) if pairs else None


def overlap(first: Bool[np.ndarray, "y x"], second: Bool[np.ndarray, "y x"]) -> float:
    """Intersection over union of two masks; two empty ones agree."""
    union = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / union if union else 1.0


@cache
def versions() -> Mapping[str, str]:
    """Versions of what the answer depends on; a distribution that is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in REPORTED:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return MappingProxyType(found)
