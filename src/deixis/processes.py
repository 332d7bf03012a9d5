"""`local_map`: many items through processes on this machine, which may die without ending the work."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from deixis.crew import Crew, Refused, Work
from deixis.errors import DeixisError, ResourceError, caught

Result = TypeVar("Result")
# Deaths in a row, before a first item was taken, after which it is the loading that fails.
STARTS = 3


@dataclass(frozen=True)
class Said:
    """What a worker sends: that it is ready, or a result."""

    result: Any = None
    ready: bool = False


@dataclass
class _Task:
    """An item, its place, and how many workers died over it."""

    place: int
    item: Any
    deaths: int = 0


def local_map(work: Work[Any, Any, Result], items: Sequence[Any], crew: Crew) -> Iterator[Result]:
    """See `deixis.crew.Engine`. No more workers are started than there are items."""
    if crew.gpus and not crew.workers:
        raise DeixisError(f"Say how many --workers there are to be, of {crew.gpus:g} GPUs each.")
    todo = deque(_Task(place, item) for place, item in enumerate(items))
    done: dict[int, Result] = {}
    given = 0
    staff = [_Worker(work, crew, number) for number in range(min(crew.here, len(todo)))]
    try:
        while given < len(items):
            for worker in staff:
                if worker.task is None and todo:
                    worker.give(todo.popleft())
            for worker in _heard(staff):
                said = worker.hear()
                if said is None:
                    todo.extend(worker.dead(crew.deaths))
                elif isinstance(said.result, Refused):
                    raise said.result.error
                elif not said.ready:
                    done[worker.finished().place] = said.result
            while given in done:
                yield done.pop(given)
                given += 1
    finally:
        for worker in staff:
            worker.end()


class _Worker:
    """A process with a pipe to it; when it dies another takes its place."""

    def __init__(self, work: Work[Any, Any, Any], crew: Crew, number: int) -> None:
        self._given = work, crew, number
        self.task: _Task | None = None
        self._starts = 0
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._ready = False
        self._process = context.Process(target=_serve, args=(theirs, *self._given), daemon=True)
        self._process.start()
        # Only with this end closed does the worker's death show as the end of the pipe.
        theirs.close()

    def give(self, task: _Task) -> None:
        """Hand over an item; one that the worker does not live to take comes back by `dead`."""
        self.task = task
        try:
            self.pipe.send(task.item)
        except OSError:
            return

    def hear(self) -> Said | None:
        """What it says; None where it is dead."""
        try:
            said: Said = self.pipe.recv()
        except (EOFError, OSError):
            return None
        self._ready, self._starts = True, 0
        return said

    def finished(self) -> _Task:
        """The task that it had, which is done."""
        task, self.task = self.task, None
        if task is None:
            raise ResourceError("A worker answered what nobody had asked. This is a bug of deixis.")
        return task

    def dead(self, deaths: int) -> list[_Task]:
        """Begin anew after a death; gives the task back that is to be tried again."""
        self._process.join()
        code, ready = self._process.exitcode, self._ready
        self.pipe.close()
        tasks = [] if self.task is None else [self.task]
        self.task = None
        if ready:
            for task in tasks:
                task.deaths += 1
                if task.deaths > deaths:
                    raise ResourceError(
                        f"Item {task.place + 1} ended its worker {task.deaths} times ({_told(code)}). "
                        "Leave it out, or give each worker more memory."
                    )
        else:
            self._starts += 1
            if self._starts >= STARTS:
                raise ResourceError(
                    f"A worker died {STARTS} times as it began ({_told(code)}), most often for want of memory. "
                    "Take fewer --workers."
                )
        self._start()
        return tasks

    def end(self) -> None:
        """Stop it, whatever it does."""
        self.pipe.close()
        self._process.kill()
        self._process.join()


def _heard(staff: Sequence[_Worker]) -> list[_Worker]:
    by_pipe = {worker.pipe: worker for worker in staff}
    return [by_pipe[pipe] for pipe in wait(list(by_pipe)) if isinstance(pipe, Connection)]


def _serve(pipe: Connection, work: Work[Any, Any, Any], crew: Crew, number: int) -> None:
    """What a worker does until its pipe ends."""
    # Ctrl-C reaches the whole group; the one who gives work also ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if crew.gpus is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = _devices(crew.gpus, number)
    step = caught(work.make)
    # When nobody listens any more, there is nothing to do.
    with suppress(EOFError, BrokenPipeError):
        pipe.send(Said(Refused.of(step)) if isinstance(step, Exception) else Said(ready=True))
        while not isinstance(step, Exception):
            item = pipe.recv()
            found = caught(_done, work, step, item)
            pipe.send(Said(Refused.of(found) if isinstance(found, Exception) else found))


def _devices(gpus: float, number: int) -> str:
    """Which GPUs the worker of this number sees: whole ones of its own, or its share of one."""
    first = int(number * gpus)
    return ",".join(str(first + more) for more in range(ceil(gpus)))


def _done(work: Work[Any, Any, Result], step: Callable[[Any], Result], item: Any) -> Result:
    return step(work.prepare(item))


def _end_with_parent() -> None:
    """Nobody waits for the result once the parent is gone."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _told(code: int | None) -> str:
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"
