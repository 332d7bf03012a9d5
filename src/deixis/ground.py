"""Open an image once, then ask where any number of phrases lives in it."""

from __future__ import annotations

import hashlib
import platform
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from jaxtyping import Bool, Float

from deixis.diffusion.walks import walk
from deixis.geometry import Placement, resized
from deixis.maps.boxes import boxes_of
from deixis.maps.evidence import EVIDENCE
from deixis.maps.masks import cut
from deixis.maps.reading import Question, Reader
from deixis.maps.refine import refined
from deixis.maps.sites import sites_of
from deixis.models.counted import CountedModel
from deixis.models.loading import load
from deixis.recipes import DEFAULT, Recipe
from deixis.recipes import recipe as recipe_named
from deixis.types import Box, Grounding, HeatMap, Image, LatentModel, Phrase, Provenance

# Cases in one call of the denoiser: past this a CPU gains nothing, and memory stays small.
BATCH = 16
REPORTED = ("deixis", "torch", "diffusers", "transformers", "numpy")


@dataclass(frozen=True)
class _Answer:
    heat: HeatMap
    mask: Bool[np.ndarray, "y x"]
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class _Cost:
    seconds: float
    evaluations: int


class View:
    """One image under one model and recipe, walked once; ask it for phrases.

    Made by `open_image`. Answers do not depend on the order of the questions.
    """

    def __init__(self, image: Image, model: LatentModel, recipe: Recipe, *, seed: int = 0, batch: int = BATCH) -> None:
        started = time.perf_counter()
        self.image, self.recipe, self.seed = image, recipe, seed
        self._model = CountedModel(model)
        side = model.spec.image_size
        self.placement = Placement.fitting(image.shape, (side, side), recipe.fit)
        self._reader = self._walked(batch)
        # Spent for all phrases together, and put on the account of the first.
        self._opening = time.perf_counter() - started
        self._billed = 0

    def find(self, phrase: str | Phrase) -> Grounding:
        """Where the phrase lives: heat, mask and boxes in native pixels.

        Raises:
            PhraseError: the phrase is empty or longer than the model's text encoder takes.
        """
        return self.find_all([phrase])[0]

    def find_all(self, phrases: Sequence[str | Phrase]) -> tuple[Grounding, ...]:
        """One grounding per phrase, in order; their evaluations share batches, and their time is shared out evenly."""
        if not phrases:
            return ()
        started = time.perf_counter()
        asked = tuple(Phrase(phrase) if isinstance(phrase, str) else phrase for phrase in phrases)
        question = Question(asked, self._model.embed([phrase.text for phrase in asked]))
        maps = EVIDENCE[self.recipe.evidence](self._reader, question).cpu().numpy()
        answers = [self._answer(one) for one in maps]
        costs = self._costs(len(asked), time.perf_counter() - started)
        return tuple(
            Grounding(self.image, phrase, answer.heat, answer.mask, answer.boxes, self._provenance(cost))
            for phrase, answer, cost in zip(asked, answers, costs, strict=True)
        )

    def _walked(self, batch: int) -> Reader:
        """The image's latents at the noise levels of the recipe, and the sites to be read there."""
        recipe, model = self.recipe, self._model
        reading = recipe.readings.get(model.spec.name)
        sites = sites_of(model.spec, recipe)
        pixels = self.placement.to_model(self.image.pixels, antialias=recipe.antialias)
        latent = model.encode(torch.from_numpy(pixels)[None, None])
        content = hashlib.sha256(repr(self.placement).encode() + self.image.pixels.tobytes()).hexdigest()
        levels = None if reading is None else reading.log_snr
        trajectory = walk(model, latent, recipe.walk, content=content, seed=self.seed, log_snr=levels)
        return Reader(model, trajectory, sites, batch)

    def _answer(self, evidence: Float[np.ndarray, "row column"]) -> _Answer:
        """From a map on any grid of the model's square to the file's own pixels."""
        recipe, placement = self.recipe, self.placement
        heat = refined(resized(evidence, placement.model), recipe.smoothing, recipe.gamma)
        native = placement.to_native(heat, order=recipe.back)
        mask = placement.mask_to_native(cut(heat, recipe.threshold))
        least = recipe.minimum_area * float(native.seen.sum())
        return _Answer(native, mask, boxes_of(mask, native.values, minimum_area=least))

    def _costs(self, phrases: int, seconds: float) -> list[_Cost]:
        """What each phrase of a call cost; what was spent for all phrases of the image goes to the first one asked."""
        shared = self._model.evaluations - self._billed - phrases * self._reader.evaluations_per_phrase
        own = _Cost(seconds / phrases, self._reader.evaluations_per_phrase)
        first = _Cost(own.seconds + self._opening, own.evaluations + shared)
        self._billed, self._opening = self._model.evaluations, 0.0
        return [first, *[own] * (phrases - 1)]

    def _provenance(self, cost: _Cost) -> Provenance:
        spec = self._model.spec
        notices = (spec.notice, *self.image.notices) if spec.notice else self.image.notices
        return Provenance(
            model=spec.name,
            weights_sha256=spec.weights_sha256,
            recipe=self.recipe.name,
            seed=self.seed,
            versions=versions(),
            seconds=cost.seconds,
            unet_evaluations=cost.evaluations,
            notices=notices,
        )


def open_image(
    image: str | Path | Image | Float[np.ndarray, "y x"],
    model: LatentModel | str | Path = "phantom",
    recipe: Recipe | str = DEFAULT,
    *,
    seed: int = 0,
    batch: int = BATCH,
) -> View:
    """Read, encode and walk an image once; `View.find` then answers phrase after phrase.

    Args:
        image: a file, an `Image`, or an array ``[y x]`` in [0, 1], bright meaning dense.
        model: a loaded model, or what `deixis.load` takes.
        recipe: a recipe or its name.
        seed: which noise; the answer depends on seed, image, phrase, recipe and weights alone.
        batch: most cases in one call of the denoiser; bounds memory.

    Raises:
        ImageError, ModelError, UnknownNameError: what cannot be read, loaded, or is not known.
    """
    chosen = recipe_named(recipe) if isinstance(recipe, str) else recipe
    opened = _as_image(image)
    return View(opened, load(model) if isinstance(model, str | Path) else model, chosen, seed=seed, batch=batch)


def ground(
    image: str | Path | Image | Float[np.ndarray, "y x"],
    phrases: str | Phrase | Sequence[str | Phrase],
    model: LatentModel | str | Path = "phantom",
    recipe: Recipe | str = DEFAULT,
    *,
    seed: int = 0,
    batch: int = BATCH,
) -> tuple[Grounding, ...]:
    """Where each phrase lives in the image: one `Grounding` per phrase, in order, also for a single one.

    See `open_image` and `View.find`, which it does in one go.
    """
    asked = [phrases] if isinstance(phrases, str | Phrase) else list(phrases)
    return open_image(image, model, recipe, seed=seed, batch=batch).find_all(asked)


@cache
def versions() -> Mapping[str, str]:
    """Versions of what the answer depends on; a distribution that is not installed is left out."""
    found = {"python": platform.python_version()}
    for name in REPORTED:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return MappingProxyType(found)


def _as_image(image: str | Path | Image | Float[np.ndarray, "y x"]) -> Image:
    if isinstance(image, Image):
        return image
    if isinstance(image, np.ndarray):
        return Image(np.asarray(image, np.float32))
    from deixis.images import read

    return read(image)
