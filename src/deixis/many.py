"""Many images at once, in lanes: each lane takes images from file to boxes, and their phrases share full batches."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, islice
from math import ceil
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float

from deixis.answering import Asked, Cost, grounding
from deixis.diffusion.kept import Trajectories
from deixis.ground import BATCH, as_image, as_phrase, way_of
from deixis.maps.batches import Batches
from deixis.maps.plan import Found, read
from deixis.maps.reading import Question
from deixis.models.counted import CountedModel
from deixis.models.loading import load
from deixis.opening import Fitted, Way, open_all
from deixis.recipes import DEFAULT, Recipe
from deixis.types import Grounding, Image, LatentModel, Phrase

# Images that are walked and read together: enough to fill batches, few enough to answer soon.
TOGETHER = 8
# On a CPU two calls of the denoiser on half of the cores each are faster than one on all of them, whose threads wait
# for each other; on a GPU one lane reads files and draws boxes while the other's network runs.
LANES = 2

Source = str | Path | Image | Float[np.ndarray, "y x"]
Answers = tuple[Grounding, ...]
_Asked = tuple[Source, Sequence[str | Phrase]]


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

    `TOGETHER` images share the batches of the denoiser, and `LANES` such groups are on their way at the same time. The
    answers are those of `ground` but for the last digits, which depend on what shares a batch. See `open_image` for
    the rest; `max_memory` bounds all lanes together.

    Raises:
        DeixisError: as `open_image` and `View.find`, when the image or phrase is reached; it ends the iteration.
    """
    loaded = load(model) if isinstance(model, str | Path) else model
    way = way_of(loaded, recipe, seed=seed, batch=batch, max_memory=max_memory, kept=kept)
    waiting = iter(asked)
    first = list(islice(waiting, LANES * TOGETHER))
    lanes = max(1, min(LANES, way.batches.most, len(first)))
    if max_memory is not None:
        way = replace(way, batches=Batches(way.batches.most // lanes))
    groups = _groups(chain(first, waiting), lanes)
    with _threads(lanes) as pool:
        running: deque[Future[list[Answers]]] = deque()

        def start() -> None:
            group = next(groups, None)
            if group is not None:
                running.append(pool.submit(_answered, group, loaded, way))

        for _ in range(lanes):
            start()
        while running:
            answers = running.popleft().result()
            start()
            yield from answers


def _groups(asked: Iterable[_Asked], lanes: int) -> Iterator[Sequence[_Asked]]:
    """Up to `TOGETHER` images at a time; the last ones are shared out, so that no lane idles beside a full one."""
    waiting = iter(asked)
    while chunk := list(islice(waiting, lanes * TOGETHER)):
        size = ceil(len(chunk) / lanes)
        yield from (chunk[start : start + size] for start in range(0, len(chunk), size))


@contextmanager
def _threads(lanes: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that share the cores; this one's share is as before afterwards."""
    threads = torch.get_num_threads()
    own = max(1, min(threads, os.cpu_count() or 1) // lanes)
    try:
        with ThreadPoolExecutor(lanes, initializer=torch.set_num_threads, initargs=(own,)) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)


@dataclass(frozen=True)
class _Order:
    """An image, ready for the model, and what is asked of it."""

    fitted: Fitted
    phrases: tuple[Phrase, ...]


def _answered(group: Sequence[_Asked], model: LatentModel, way: Way) -> list[Answers]:
    """What one lane does: read the images, ask the network about all of them, and make their boxes."""
    counted = CountedModel(model)
    orders = [
        _Order(Fitted.into(as_image(source), model.spec.image_size, way.recipe), tuple(map(as_phrase, phrases)))
        for source, phrases in group
    ]
    maps, costs = _read(counted, orders, way)
    return [_finished(order, found, counted, way, cost) for order, found, cost in zip(orders, maps, costs, strict=True)]


def _read(model: CountedModel, orders: Sequence[_Order], way: Way) -> tuple[list[list[Found]], list[list[Cost]]]:
    """Per image one map and one cost per phrase; time is shared out evenly, and "" goes to an image's first phrase."""
    started = time.perf_counter()
    reader = open_all(model, [order.fitted for order in orders], way)
    phrases = tuple(phrase for order in orders for phrase in order.phrases)
    if not phrases:
        return [[] for _ in orders], [[] for _ in orders]
    images = tuple(index for index, order in enumerate(orders) for _ in order.phrases)
    question = Question(phrases, model.embed([phrase.text for phrase in phrases]), images)
    found = iter(read(reader, question, way.recipe))
    shared = model.empty // len(orders)
    own = (model.evaluations - model.empty) // len(phrases)
    seconds = (time.perf_counter() - started) / len(phrases)
    costs = [
        [Cost(seconds, own + (0 if index else shared)) for index, _ in enumerate(order.phrases)] for order in orders
    ]
    return [[next(found) for _ in order.phrases] for order in orders], costs


def _finished(order: _Order, maps: Sequence[Found], model: LatentModel, way: Way, costs: Sequence[Cost]) -> Answers:
    return tuple(
        grounding(one, Asked(order.fitted, phrase), model.spec, way, cost)
        for one, phrase, cost in zip(maps, order.phrases, costs, strict=True)
    )
