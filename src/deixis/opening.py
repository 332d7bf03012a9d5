"""From images to a reader: fitted into the model's square, encoded, and walked, several at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

import torch

from deixis.diffusion.kept import Trajectories
from deixis.diffusion.walks import Course, generated, walk
from deixis.geometry import Placement
from deixis.maps.batches import Batches
from deixis.maps.reading import Reader
from deixis.maps.sites import sites_of
from deixis.recipes import Recipe
from deixis.types import Context, Image, LatentModel, LatentTrajectory


@dataclass(frozen=True)
class Fitted:
    """An image and its way into the model's square.

    Args:
        image: as read.
        placement: between its own pixels and the model's.
        content: hash of pixels and placement; seeds the noise.
    """

    image: Image
    placement: Placement
    content: str

    @classmethod
    def into(cls, image: Image, side: int, recipe: Recipe) -> Fitted:
        """Fitted as the recipe says."""
        placement = Placement.fitting(image.shape, (side, side), recipe.fit)
        return cls(image, placement, hashlib.sha256(repr(placement).encode() + image.pixels.tobytes()).hexdigest())


@dataclass(frozen=True)
class Way:
    """How images are opened.

    Args:
        recipe: the way of reading.
        seed: which noise.
        batches: how many cases go into one call of the denoiser.
        kept: where walked trajectories are kept, or None.
    """

    recipe: Recipe
    seed: int
    batches: Batches
    kept: Trajectories | None = None


def open_all(model: LatentModel, images: Sequence[Fitted], way: Way) -> Reader:
    """A reader over the images' latents at the noise levels of the recipe; what is kept is not walked again."""
    recipe = way.recipe
    reading = recipe.readings.get(model.spec.name)
    course = Course(recipe.walk, way.seed, None if reading is None else reading.log_snr)
    sites = sites_of(model.spec, recipe)
    trajectories = _found(model, images, course, way.kept)
    missing = [index for index, one in enumerate(trajectories) if one is None]

    def walked(cases: range) -> tuple[LatentTrajectory, ...]:
        chosen = [images[missing[case]] for case in cases]
        # One by one: an encoder at full resolution needs more memory than a denoiser with a batch.
        latents = torch.cat([_encoded(model, one, recipe) for one in chosen])
        return walk(model, latents, course, [one.content for one in chosen])

    new = chain.from_iterable(way.batches.through(len(missing), walked))
    for index, trajectory in zip(missing, new, strict=True):
        trajectories[index] = trajectory
        if way.kept is not None:
            way.kept.put(trajectory)
    found = tuple(one for one in trajectories if one is not None)
    return Reader(model, found, sites, way.batches, partial(_made_up, model, course, way.batches))


def _made_up(model: LatentModel, course: Course, batches: Batches, context: Context) -> tuple[LatentTrajectory, ...]:
    """Images made up from texts, as many at a time as fit."""
    side = model.spec.image_size // model.spec.downsampling
    shape = (model.spec.latent_channels, side, side)
    made = batches.through(len(context), lambda rows: generated(model, context.take(rows), course, shape))
    return tuple(chain.from_iterable(made))


def _found(
    model: LatentModel, images: Sequence[Fitted], course: Course, kept: Trajectories | None
) -> list[LatentTrajectory | None]:
    found = [None if kept is None else kept.get(course.key(model, one.content)) for one in images]
    if not any(found):
        return found
    # What was kept in a file comes back on the CPU, wherever the model is.
    device = model.embed([""]).states.device
    return [None if one is None else one.on(device) for one in found]


def _encoded(model: LatentModel, one: Fitted, recipe: Recipe) -> torch.Tensor:
    pixels = one.placement.to_model(one.image.pixels, antialias=recipe.antialias)
    return model.encode(torch.from_numpy(pixels)[None, None])
