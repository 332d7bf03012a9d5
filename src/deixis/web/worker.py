"""The one thread that owns the model: it opens images, keeps the latest ready, and answers phrase after phrase."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from queue import SimpleQueue
from threading import Thread

import numpy as np

from deixis.errors import DeixisError
from deixis.ground import View, open_image
from deixis.recipes import recipe as recipe_named
from deixis.types import Image, LatentModel
from deixis.web.jobs import Job
from deixis.web.logs import note, where
from deixis.web.problems import BUG, Problem, problem_of
from deixis.web.settings import Settings
from deixis.web.stopping import Stop, StoppableModel, Stopped

# Seconds between two tellings of progress.
BEAT = 0.1
WARMING = "left lung"
ENDED = {
    "cancelled": Problem(HTTPStatus.CONFLICT, "The job was cancelled before it was done."),
    "expired": Problem(
        HTTPStatus.GATEWAY_TIMEOUT,
        "The job took longer than this service allows. Ask fewer phrases at once, or take a quicker recipe.",
    ),
}


@dataclass
class _Opened:
    view: View
    used: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Reports:
    """What the worker tells, each called in the thread of the event loop.

    Args:
        call: has a function run there.
        ready: the model is loaded.
        failed: it could not be.
        opened: an image was opened.
    """

    call: Callable[[Callable[[], None]], None]
    ready: Callable[[StoppableModel], None]
    failed: Callable[[BaseException], None]
    opened: Callable[[], None]


class Worker:
    """Answers jobs one after the other.

    Args:
        load: gives the model; called in the thread.
        settings: which recipe to warm up with, and how much to keep.
        reports: whom it tells.
    """

    def __init__(self, load: Callable[[], LatentModel], settings: Settings, reports: Reports) -> None:
        self._load, self._settings, self._reports = load, settings, reports
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._opened: OrderedDict[tuple[str, str, int], _Opened] = OrderedDict()
        self._thread = Thread(target=self._live, name="deixis-worker", daemon=True)

    def start(self) -> None:
        """Begin, with loading the model."""
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Have a job done after all earlier ones."""
        self._tasks.put(partial(self._do, job))

    def forget(self, content: str) -> None:
        """Close an image."""
        self._tasks.put(partial(self._close, content))

    def sweep(self) -> None:
        """Close images that nobody asked for lately."""
        self._tasks.put(self._close_old)

    def end(self, seconds: float) -> bool:
        """Finish what was submitted; whether that was done within so many seconds."""
        self._tasks.put(None)
        if self._thread.ident is not None:
            self._thread.join(seconds)
        return not self._thread.is_alive()

    def _live(self) -> None:
        try:
            self._model = StoppableModel(self._load())
            self._warm()
        except (DeixisError, OSError, MemoryError, RuntimeError) as error:
            self._reports.call(partial(self._reports.failed, error))
            return
        self._reports.call(partial(self._reports.ready, self._model))
        while (task := self._tasks.get()) is not None:
            task()

    def _warm(self) -> None:
        """The first call of everything is slow: make it before anybody waits for it."""
        side = self._model.spec.image_size
        ramp = np.linspace(0, 1, side * side, dtype=np.float32).reshape(side, side)
        open_image(Image(ramp), self._model, recipe_named(self._settings.recipe)).find(WARMING)

    def _do(self, job: Job) -> None:
        """One job, whatever comes of it."""
        tell, model = self._reports.call, self._model
        before, beat = model.evaluations, 0.0

        def progress() -> None:
            nonlocal beat
            if (now := time.monotonic()) - beat >= BEAT:
                beat = now
                tell(partial(job.spent, model.evaluations - before))

        model.stop, model.tell = job.stop, progress
        try:
            self._answer(job)
            ended = partial(job.end, "done")
        except Stopped as stopped:
            ended = partial(job.end, stopped.reason, ENDED[stopped.reason])
        except DeixisError as error:
            ended = partial(job.end, "failed", problem_of(error))
        # One job's failure, whatever it is, must not end the others.
        except Exception as error:  # noqa: BLE001
            note("bug", level="error", kind=type(error).__name__, where=where(error))
            ended = partial(job.end, "failed", Problem(HTTPStatus.INTERNAL_SERVER_ERROR, BUG))
        finally:
            model.stop, model.tell = Stop(float("inf")), lambda: None
        tell(partial(job.spent, model.evaluations - before))
        tell(ended)

    def _answer(self, job: Job) -> None:
        tell = self._reports.call
        job.stop.check()
        job.stop.start()
        tell(job.begin)
        if len(job.order.phrases) > 1:
            # What the text encoder does not take is to be known before the others are answered.
            self._model.embed([phrase.text for phrase in job.order.phrases])
        view = self._view(job)
        for phrase in job.order.phrases:
            job.stop.check()
            tell(partial(job.add, view.find(phrase)))

    def _view(self, job: Job) -> View:
        """The opened image, kept for the next phrase."""
        order = job.order
        key = (job.held.content, order.recipe.name, order.seed)
        found = self._opened.get(key)
        if found is None:
            view = open_image(job.held.image, self._model, order.recipe, seed=order.seed)
            self._reports.call(self._reports.opened)
            found = self._opened[key] = _Opened(view)
            while len(self._opened) > self._settings.limits.views:
                self._opened.popitem(last=False)
        found.used = time.monotonic()
        self._opened.move_to_end(key)
        return found.view

    def _close(self, content: str) -> None:
        for key in [key for key in self._opened if key[0] == content]:
            del self._opened[key]

    def _close_old(self) -> None:
        oldest = time.monotonic() - self._settings.limits.lifetime
        for key in [key for key, one in self._opened.items() if one.used <= oldest]:
            del self._opened[key]
