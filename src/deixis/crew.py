"""Who goes through many items: how many workers and with what, what they do, and the ways to employ them."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from deixis.errors import DeixisError, caught
from deixis.registry import Table

Item = TypeVar("Item")
Ready = TypeVar("Ready")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Crew:
    """How work is spread.

    Args:
        engine: a row of the table of engines.
        workers: how many of them, each with a model of its own; 0 for as many as there are cores for.
        min_workers: where the engine lets their number grow, it begins with so many; 0 for all of them.
        threads: cores of each worker. An answer's last digits depend on it, and not on how many workers there are.
        gpus: of each worker; a fraction shares a GPU among several, with 0 it sees none, with None what is there.
        address: of a Ray cluster; None starts one on this machine alone.
        deaths: how often one item may end its worker before the work ends with an error.
    """

    engine: str = "local"
    workers: int = 0
    min_workers: int = 0
    threads: int = 1
    gpus: float | None = None
    address: str | None = None
    deaths: int = 3

    def __post_init__(self) -> None:
        if self.workers < 0 or self.min_workers < 0 or self.threads < 1 or (self.gpus or 0) < 0:
            raise DeixisError(f"Workers, threads and GPUs cannot be negative or no threads at all; got {self}.")
        if self.workers and self.min_workers > self.workers:
            raise DeixisError(f"{self.min_workers} workers at least are more than {self.workers} at most.")

    @property
    def here(self) -> int:
        """How many workers this machine is to have."""
        return self.workers or max(1, cores() // self.threads)


@dataclass(frozen=True)
class Work(Generic[Item, Ready, Result]):
    """What is done to each item, in two steps, so that the first needs no model and can run elsewhere.

    Both are sent to other processes, so they must be picklable.

    Args:
        prepare: from an item to what the second step takes, for instance decoded images.
        make: called once in each worker; gives the second step.
    """

    prepare: Callable[[Item], Ready]
    make: Callable[[], Callable[[Ready], Result]]


@dataclass(frozen=True)
class Refused:
    """What a worker sends in place of a result: the error that ends the work."""

    error: Exception

    @classmethod
    def of(cls, error: Exception) -> Refused:
        """The error itself, where it survives the journey; those of some libraries do not."""
        again = caught(lambda: pickle.loads(pickle.dumps(error)))
        return cls(error if type(again) is type(error) else DeixisError(f"{type(error).__name__}: {error}"))


class Engine(Protocol):
    """A way to employ a crew: `map` over items in processes that may die."""

    def __call__(self, work: Work[Any, Any, Result], items: Sequence[Any], crew: Crew) -> Iterator[Result]:
        """The result of every item, in order, each as soon as it and those before it are done.

        An item whose worker dies is given to another one.

        Raises:
            DeixisError: of the work itself; or an item ended its worker more than `crew.deaths` times.
        """
        ...


ENGINES: Table[Engine] = Table(
    kind="engine",
    group="deixis.engines",
    builtin={"local": "deixis.processes:local_map", "ray": "deixis.scale:ray_map"},
)


def as_it_is(item: Item) -> Item:
    """The first step of work that needs none."""
    return item


def cores() -> int:
    """Cores that this process may use, which in a container are fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
