"""Many images at once: their phrases share full batches; files are read, and answers finished, beside the network."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Float

from deixis.answering import Asked, Cost, grounding
from deixis.diffusion.kept import Trajectories
from deixis.ground import BATCH, as_image, as_phrase, way_of
from deixis.maps.evidence import EVIDENCE
from deixis.maps.reading import Question
from deixis.models.counted import CountedModel
from deixis.models.loading import load
from deixis.opening import Fitted, Way, open_all
from deixis.recipes import DEFAULT, Recipe
from deixis.types import Grounding, Image, LatentModel, Phrase

# Images that are walked and read together: enough to fill batches, few enough to answer soon.
TOGETHER = 8

Source = str | Path | Image | Float[np.ndarray, "y x"]
Answers = tuple[Grounding, ...]


def ground_many(
    asked: Iterable[tuple[Source, Sequence[str | Phrase]]],
    model: LatentModel | str | Path = "phantom",
    recipe: Recipe | str = DEFAULT,
    *,
    seed: int = 0,
    batch: int = BATCH,
    max_memory: int | None = None,
    kept: Trajectories | None = None,
) -> Iterator[Answers]:
    """The groundings of each image's phrases, image by image in order, as they are ready.

    `TOGETHER` images share the batches of the denoiser, while the next ones are read and the last ones' heat becomes
    masks and boxes in other threads. The answers are those of `ground` but for the last digits, which depend on what
    shares a batch. See `open_image` for the rest.

    Raises:
        DeixisError: as `open_image` and `View.find`, when the image or phrase is reached; it ends the iteration.
    """
    loaded = load(model) if isinstance(model, str | Path) else model
    way = way_of(loaded, recipe, seed=seed, batch=batch, max_memory=max_memory, kept=kept)
    counted = CountedModel(loaded)
    with ThreadPoolExecutor(1) as reading, ThreadPoolExecutor(1) as finishing:
        behind: list[Future[Answers]] = []
        waiting = iter(asked)

        def start() -> Future[list[_Order]] | None:
            group = tuple(islice(waiting, TOGETHER))
            return reading.submit(_orders, group, loaded.spec.image_size, way) if group else None

        ahead = start()
        while ahead is not None:
            orders = ahead.result()
            ahead = start()
            maps, costs = _read(counted, orders, way)
            yield from (one.result() for one in behind)
            behind = [
                finishing.submit(_finished, order, found, counted, way, cost)
                for order, found, cost in zip(orders, maps, costs, strict=True)
            ]
        yield from (one.result() for one in behind)


@dataclass(frozen=True)
class _Order:
    """An image, ready for the model, and what is asked of it."""

    fitted: Fitted
    phrases: tuple[Phrase, ...]


def _orders(group: Sequence[tuple[Source, Sequence[str | Phrase]]], side: int, way: Way) -> list[_Order]:
    return [
        _Order(Fitted.into(as_image(source), side, way.recipe), tuple(map(as_phrase, phrases)))
        for source, phrases in group
    ]


def _read(
    model: CountedModel, orders: Sequence[_Order], way: Way
) -> tuple[list[list[Float[np.ndarray, "row column"]]], list[list[Cost]]]:
    """Per image one map and one cost per phrase; time is shared out evenly, and "" goes to an image's first phrase."""
    started, evaluations, empty = time.perf_counter(), model.evaluations, model.empty
    reader = open_all(model, [order.fitted for order in orders], way)
    phrases = tuple(phrase for order in orders for phrase in order.phrases)
    if not phrases:
        return [[] for _ in orders], [[] for _ in orders]
    images = tuple(index for index, order in enumerate(orders) for _ in order.phrases)
    question = Question(phrases, model.embed([phrase.text for phrase in phrases]), images)
    found = iter(EVIDENCE[way.recipe.evidence](reader, question).cpu().numpy())
    shared = (model.empty - empty) // len(orders)
    own = (model.evaluations - evaluations - model.empty + empty) // len(phrases)
    seconds = (time.perf_counter() - started) / len(phrases)
    costs = [
        [Cost(seconds, own + (0 if index else shared)) for index, _ in enumerate(order.phrases)] for order in orders
    ]
    return [[next(found) for _ in order.phrases] for order in orders], costs


def _finished(
    order: _Order, maps: Sequence[Float[np.ndarray, "row column"]], model: LatentModel, way: Way, costs: Sequence[Cost]
) -> Answers:
    return tuple(
        grounding(one, Asked(order.fitted, phrase), model.spec, way, cost)
        for one, phrase, cost in zip(maps, order.phrases, costs, strict=True)
    )
