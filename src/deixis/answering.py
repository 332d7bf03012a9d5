"""From a map on the model's grid to a grounding: heat, mask and boxes in the file's own pixels, and how they came."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

import numpy as np
from jaxtyping import Float

from deixis.geometry import resized
from deixis.maps.boxes import boxes_of
from deixis.maps.masks import cut
from deixis.maps.refine import refined
from deixis.opening import Fitted, Way
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


def grounding(
    evidence: Float[np.ndarray, "row column"], asked: Asked, spec: ModelSpec, way: Way, cost: Cost
) -> Grounding:
    """Refine, cut and find boxes; `evidence` may lie on any grid of the model's square."""
    recipe, image, placement = way.recipe, asked.fitted.image, asked.fitted.placement
    heat = refined(resized(evidence, placement.model), recipe.smoothing, recipe.gamma)
    native = placement.to_native(heat ** np.float32(recipe.level), order=recipe.back)
    mask = placement.mask_to_native(cut(heat, recipe.threshold, recipe.minimum_peak))
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
    return Grounding(image, asked.phrase, native, mask, boxes, provenance)


@cache
def versions() -> Mapping[str, str]:
    """Versions of what the answer depends on; a distribution that is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in REPORTED:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return MappingProxyType(found)
