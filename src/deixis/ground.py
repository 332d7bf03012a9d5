"""Open an image once, then ask where any number of phrases lives in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from deixis.answering import Asked, Cost, grounding
from deixis.diffusion.kept import Trajectories
from deixis.errors import PhraseError
from deixis.geometry import Placement
from deixis.maps.batches import Batches
from deixis.maps.plan import read
from deixis.maps.reading import Question
from deixis.models.counted import CountedModel
from deixis.models.footprint import cases_within
from deixis.models.loading import load
from deixis.opening import Fitted, Way, open_all
from deixis.recipes import DEFAULT, Recipe
from deixis.recipes import recipe as recipe_named
from deixis.types import Grounding, Image, LatentModel, Phrase

# Cases in one call of the denoiser: past this a CPU gains nothing, and memory stays small.
BATCH = 16


class View:
    """One image under one model and recipe, walked once; ask it for phrases.

    Made by `open_image`. Answers do not depend on the order of the questions.
    """

    def __init__(self, image: Image, model: LatentModel, way: Way) -> None:
        started = time.perf_counter()
        self._model, self._way = CountedModel(model), way
        self._fitted = Fitted.into(image, model.spec.image_size, way.recipe)
        self._reader = open_all(self._model, [self._fitted], way)
        # Spent for all phrases together, and put on the account of the first.
        self._opening = time.perf_counter() - started
        self._billed = 0

    @property
    def image(self) -> Image:
        """What is looked at."""
        return self._fitted.image

    @property
    def recipe(self) -> Recipe:
        """How it is read."""
        return self._way.recipe

    @property
    def placement(self) -> Placement:
        """How it lies in the model's square."""
        return self._fitted.placement

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
        started, before = time.perf_counter(), self._own_evaluations
        asked = tuple(map(as_phrase, phrases))
        question = Question.of_one_image(asked, self._model.embed([phrase.text for phrase in asked]))
        found = read(self._reader, question, self.recipe)
        spent = Cost(time.perf_counter() - started, self._own_evaluations - before)
        return tuple(
            grounding(one, Asked(self._fitted, phrase), self._model.spec, self._way, cost)
            for one, phrase, cost in zip(found, asked, self._costs(len(asked), spent), strict=True)
        )

    def refusal(self, phrase: str | Phrase) -> str | None:
        """Why the model does not take a phrase, for instance because it is too long; None where it does."""
        try:
            self._model.embed([as_phrase(phrase).text])
        except PhraseError as error:
            return str(error)
        return None

    @property
    def _own_evaluations(self) -> int:
        """Evaluations with a phrase: those with "" serve all phrases."""
        return self._model.evaluations - self._model.empty

    def _costs(self, phrases: int, spent: Cost) -> list[Cost]:
        """What each phrase of a call cost; what was spent for all phrases of the image goes to the first one asked."""
        own = Cost(spent.seconds / phrases, spent.evaluations // phrases)
        first = Cost(own.seconds + self._opening, own.evaluations + self._model.empty - self._billed)
        self._billed, self._opening = self._model.empty, 0.0
        return [first, *[own] * (phrases - 1)]


def open_image(
    image: str | Path | Image | Float[np.ndarray, "y x"],
    model: LatentModel | str | Path = "phantom",
    recipe: Recipe | str = DEFAULT,
    *,
    seed: int = 0,
    batch: int = BATCH,
    max_memory: int | None = None,
    kept: Trajectories | None = None,
) -> View:
    """Read, encode and walk an image once; `View.find` then answers phrase after phrase.

    Args:
        image: a file, an `Image`, or an array ``[y x]`` in [0, 1], bright meaning dense.
        model: a loaded model, or what `deixis.load` takes.
        recipe: a recipe or its name.
        seed: which noise; the answer depends on seed, image, phrase, recipe and weights alone.
        batch: most cases in one call of the denoiser; bounds memory.
        max_memory: bytes that weights and one call of the denoiser may take together; lowers `batch` where it must.
        kept: walked trajectories by image, model, walk and seed; found there, an image is not walked again.

    Raises:
        ImageError, ModelError, UnknownNameError: what cannot be read, loaded, or is not known.
    """
    opened = as_image(image)
    loaded = load(model) if isinstance(model, str | Path) else model
    return View(opened, loaded, way_of(loaded, recipe, seed=seed, batch=batch, max_memory=max_memory, kept=kept))


def ground(
    image: str | Path | Image | Float[np.ndarray, "y x"],
    phrases: str | Phrase | Sequence[str | Phrase],
    model: LatentModel | str | Path = "phantom",
    recipe: Recipe | str = DEFAULT,
    *,
    seed: int = 0,
    batch: int = BATCH,
    max_memory: int | None = None,
    kept: Trajectories | None = None,
) -> tuple[Grounding, ...]:
    """Where each phrase lives in the image: one `Grounding` per phrase, in order, also for a single one.

    See `open_image` and `View.find`, which it does in one go.
    """
    asked = [phrases] if isinstance(phrases, str | Phrase) else list(phrases)
    view = open_image(image, model, recipe, seed=seed, batch=batch, max_memory=max_memory, kept=kept)
    return view.find_all(asked)


def as_phrase(phrase: str | Phrase) -> Phrase:
    """A text as a phrase; a phrase stays as it is."""
    return Phrase(phrase) if isinstance(phrase, str) else phrase


def way_of(
    model: LatentModel,
    recipe: Recipe | str,
    *,
    seed: int,
    batch: int,
    max_memory: int | None,
    kept: Trajectories | None,
) -> Way:
    """How images are opened, with a batch that stays within `max_memory` bytes."""
    chosen = recipe_named(recipe) if isinstance(recipe, str) else recipe
    most = batch if max_memory is None else min(batch, cases_within(model, max_memory))
    return Way(chosen, seed, Batches(most), kept)


def as_image(image: str | Path | Image | Float[np.ndarray, "y x"]) -> Image:
    """An image as given, as an array, or read from a file."""
    if isinstance(image, Image):
        return image
    if isinstance(image, np.ndarray):
        return Image(np.asarray(image, np.float32))
    from deixis.images import read

    return read(image)
