"""What the routes ask: images in, jobs, results, and when to say no. All of it lives in the event loop's thread."""

from __future__ import annotations

import asyncio
import hashlib
import math
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

from deixis.types import LatentModel
from deixis.web.examples import example
from deixis.web.jobs import Held, Job, Order, State
from deixis.web.logs import alias, note
from deixis.web.metrics import Metrics
from deixis.web.problems import Problem, later
from deixis.web.reading import Read
from deixis.web.settings import Settings
from deixis.web.shelf import Shelf
from deixis.web.stopping import Stop, StoppableModel
from deixis.web.worker import Reports, Worker

# Seconds between two looks at what has outlived its time.
SWEEP = 5.0
# How long a job is taken to run before any has, and how long a refusal asks to wait at most.
GUESS, LONGEST = 1.0, 60.0
GONE = "is not held any more, or never was: what nobody asks for is forgotten after a while."
STOPPING = "The service is being stopped. Ask again when it is back."


class Service:
    """One model, one queue, and what is held for its users.

    Args:
        settings: what it was told.
        load: gives the model; called once, in the worker's thread.
        read: turns the bytes of an upload into an image.
        failed: is told where the model cannot be loaded.
    """

    def __init__(
        self,
        settings: Settings,
        load: Callable[[], LatentModel],
        read: Read,
        failed: Callable[[BaseException], None] = lambda error: None,
    ) -> None:
        limits = settings.limits
        self.settings, self.metrics = settings, Metrics()
        self.model: StoppableModel | None = None
        self.stopping = False
        self._load, self._read, self._failed = load, read, failed
        self._images: Shelf[Held] = Shelf(limits.held_bytes, limits.lifetime, lambda held: held.bytes)
        self._jobs: Shelf[Job] = Shelf(
            limits.held_bytes, limits.lifetime, lambda job: job.bytes, busy=lambda job: not job.over
        )
        self._mean = GUESS
        self._watch()

    async def start(self) -> None:
        """Begin to load the model, and to sweep."""
        loop = asyncio.get_running_loop()

        def call(work: Callable[[], None]) -> None:
            # A worker that outlives the loop has nobody left to tell.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(work)

        self._worker = Worker(self._load, self.settings, Reports(call, self._ready, self._failed, self.metrics.opened))
        self._worker.start()
        self._sweeping = asyncio.create_task(self._sweep())

    async def stop(self) -> None:
        """Finish what runs, as far as that takes no longer than the grace; return what waits."""
        self.begin_stop()
        self._sweeping.cancel()
        finished = await asyncio.to_thread(self._worker.end, self.settings.limits.grace)
        if not finished:
            for job in self._jobs.values():
                job.stop.say()
            await asyncio.to_thread(self._worker.end, 1.0)
        note("stopped", finished=finished)

    def begin_stop(self) -> None:
        """Take nothing more, and return what waits; what runs goes on."""
        if self.stopping:
            return
        self.stopping = True
        for job in self.waiting():
            job.stop.say()
            job.end("cancelled", later(HTTPStatus.SERVICE_UNAVAILABLE, STOPPING, GUESS))
        note("stopping")

    async def read(self, content: bytes) -> Held:
        """The image in these bytes, not held yet; raises `ImageError` where they are none."""
        upload = await self._read(content)
        return Held(upload.image, hashlib.sha256(content).hexdigest(), upload.header)

    async def example(self, name: str) -> Held:
        """An example, not held yet; raises `UnknownNameError` that lists the known ones."""
        drawn = await asyncio.to_thread(example, name)
        return Held(drawn.image, f"example {name}")

    def hold(self, held: Held) -> Held:
        """Keep an image for further requests."""
        self._images.put(held.id, held)
        return held

    def image(self, name: str) -> Held:
        """The held image of that name; else a problem that says so."""
        held = self._images.get(name)
        if held is None:
            raise Problem(HTTPStatus.NOT_FOUND, f"This image {GONE} Send it again.")
        return held

    def drop_image(self, name: str) -> None:
        """Forget an image, and close it."""
        held = self.image(name)
        self._images.drop(name)
        if not any(other.content == held.content for other in self._images.values()):
            self._worker.forget(held.content)

    def submit(self, held: Held, order: Order) -> Job:
        """Have phrases asked of an image; a full queue is a problem that says when to come back."""
        if self.stopping:
            raise later(HTTPStatus.SERVICE_UNAVAILABLE, STOPPING, GUESS)
        waiting = len(self.waiting())
        if waiting >= self.settings.limits.queue:
            wait = min(LONGEST, math.ceil(self._mean * (waiting + 1)))
            told = f"{waiting} jobs wait already, as many as this service lets. Ask again in {wait} s."
            raise later(HTTPStatus.TOO_MANY_REQUESTS, told, wait)
        job = Job(held, order, Stop(self.settings.limits.job_seconds))
        self._jobs.put(job.id, job)
        self._worker.submit(job)
        asyncio.create_task(self._follow(job))  # noqa: RUF006 - the job itself is on the shelf until it is over
        return job

    def job(self, name: str) -> Job:
        """The job of that name; else a problem that says so."""
        job = self._jobs.get(name)
        if job is None:
            raise Problem(HTTPStatus.NOT_FOUND, f"This job {GONE} Ask again.")
        return job

    def cancel(self, job: Job) -> None:
        """End a job, where it has not ended, and forget it."""
        job.stop.say()
        if job.state == "waiting":
            job.end("cancelled", Problem(HTTPStatus.CONFLICT, "The job was cancelled while it waited."))
        self._jobs.drop(job.id)

    def waiting(self) -> list[Job]:
        """The jobs that have not begun, the first first."""
        return self._in("waiting")

    def _in(self, state: State) -> list[Job]:
        return [job for job in self._jobs.values() if job.state == state]

    def _ready(self, model: StoppableModel) -> None:
        self.model = model
        note("ready", model=model.spec.weights_sha256[:16], recipe=self.settings.recipe)

    async def _follow(self, job: Job) -> None:
        """Count a job when it is over."""
        await job.wait()
        seconds = job.ended - job.started if job.started else 0.0
        self._mean += 0.2 * (seconds - self._mean)
        self.metrics.job(job.order.recipe.name, job.state, seconds, len(job.groundings), job.evaluations)
        note("job", job=alias(job.id), image=alias(job.held.content), state=job.state, seconds=round(seconds, 3))

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            self._images.sweep()
            self._jobs.sweep()
            self._worker.sweep()

    def _watch(self) -> None:
        watch = self.metrics.watch
        watch("queue_depth", "Jobs that wait.", lambda: len(self.waiting()))
        watch("running", "Jobs that run.", lambda: len(self._in("running")))
        watch("images_held", "Images held in memory.", lambda: len(self._images))
        watch("held_bytes", "Bytes of images and results held.", lambda: self._images.bytes + self._jobs.bytes)
        watch("ready", "1 when the model is loaded.", lambda: float(self.model is not None))
