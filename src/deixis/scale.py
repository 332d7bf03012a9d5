"""`ray_map`: many items through a Ray cluster; the only file that knows Ray.

Ray Data streams items through two pools of actors: the first prepares on a quarter of a core each, the second has the
model. What the first has ready waits in the object store, and Ray holds the first pool back when that fills.
"""

from __future__ import annotations

import logging
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from deixis.crew import Crew, Refused, Work
from deixis.errors import DeixisError, ResourceError, caught
from deixis.silence import silenced, without_telemetry

if TYPE_CHECKING:
    import pyarrow as pa
    from ray.data import Dataset

Result = TypeVar("Result")
# Of each worker's cores, what is left for preparing.
PREPARING = 0.25
CARGO = "cargo"


def ray_map(work: Work[Any, Any, Result], items: Sequence[Any], crew: Crew) -> Iterator[Result]:
    """See `deixis.crew.Engine`.

    Raises:
        DeixisError: also where Ray is not installed, the cluster is not there, or it has no room for a worker.
    """
    with _cluster(crew):
        from ray.exceptions import RayError

        try:
            # Without fetching ahead: a result is to be seen when it is there.
            found = _stream(work, items, crew).iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)
            for batch in found:
                for one in batch[CARGO]:
                    result = pickle.loads(one.as_buffer())
                    if isinstance(result, Refused):
                        raise result.error
                    yield result
        except RayError as error:
            last = (str(error).strip().splitlines() or [type(error).__name__])[-1]
            raise ResourceError(f"Ray ended the work: {last}") from error


def _stream(work: Work[Any, Any, Any], items: Sequence[Any], crew: Crew) -> Dataset:
    """The items and both steps, none of which is done before somebody asks for results."""
    from ray.data import ActorPoolStrategy, DataContext, from_items

    context = DataContext.get_current()
    context.enable_progress_bars = context.print_on_execution_start = False
    context.execution_options.preserve_order = True
    # What is made of an item is one value, whatever its size.
    context.target_max_block_size = None
    most = _workers(crew)
    first = {
        # Beside a GPU as many as its speed asks for, and the machines have cores for.
        "compute": ActorPoolStrategy(min_size=1, max_size=None if crew.gpus else most),
        "num_cpus": PREPARING,
    }
    second = {
        "compute": ActorPoolStrategy(min_size=crew.min_workers or most, max_size=most),
        "num_cpus": crew.threads - PREPARING,
        "num_gpus": crew.gpus or None,
    }
    data = from_items([{CARGO: pickle.dumps(item)} for item in items], override_num_blocks=len(items))
    for make, place in ((partial(_constant, work.prepare), first), (work.make, second)):
        # Ray 2.60 warns that 2.64 will take `max_task_retries` by another name, and has no other yet.
        with silenced():
            data = data.map_batches(
                _Step,
                fn_constructor_args=(make,),
                batch_size=1,
                batch_format="pyarrow",
                max_task_retries=crew.deaths,
                **place,
            )
    return data


class _Step:
    """An actor: one step of the work, made once. What the work raises goes the way of results, which ends it sooner."""

    def __init__(self, make: Callable[[], Callable[[Any], Any]]) -> None:
        self._step = caught(make)

    def __call__(self, batch: pa.Table) -> pa.Table:
        import pyarrow as pa

        taken = [self._taken(pickle.loads(one.as_buffer())) for one in batch[CARGO]]
        return pa.table({CARGO: pa.array([pickle.dumps(one, protocol=5) for one in taken], pa.large_binary())})

    def _taken(self, item: Any) -> Any:
        if isinstance(item, Refused):
            return item
        done = self._step if isinstance(self._step, Exception) else caught(self._step, item)
        return Refused.of(done) if isinstance(done, Exception) else done


def _constant(value: Any) -> Any:
    return value


@contextmanager
def _cluster(crew: Crew) -> Iterator[None]:
    """Ray, connected; a cluster on this machine alone where no address is given. One that was there stays."""
    without_telemetry()
    if not crew.address:
        # Nothing but this machine is to reach a cluster of its own. By this name Ray knows "the loopback alone".
        os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
        # Workers of such a cluster are like those of the local engine: they give way to no other program.
        os.environ.setdefault("RAY_worker_niceness", "0")
    # Its core writes of its own affairs to the terminal; what concerns the work comes as an exception.
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise DeixisError(
            f"The engine ray needs what is not installed ({error.name}): pip install 'deixis[scale]'."
        ) from error
    # A cluster that the program has joined already stays as it is.
    if ray.is_initialized():
        yield
        return
    where: dict[str, Any] = (
        {"address": crew.address}
        if crew.address
        else {"num_cpus": crew.here * crew.threads, "include_dashboard": False}
    )
    try:
        with _hushed():
            ray.init(**where, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise DeixisError(f"Ray does not start at {crew.address or 'this machine'}: {error} See --address.") from error
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def _hushed() -> Iterator[None]:
    """Standard error, below Python, goes nowhere: Ray's core greets there, and tells what matters by exceptions."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _workers(crew: Crew) -> int:
    """As many as asked, else as many as the cluster has cores or GPUs for."""
    import ray

    there = ray.cluster_resources()
    by_cores = int(there.get("CPU", 0) // crew.threads)
    room = min(by_cores, int(there.get("GPU", 0) / crew.gpus)) if crew.gpus else by_cores
    if room < (crew.min_workers or crew.workers or 1):
        raise ResourceError(
            f"The cluster has {there.get('CPU', 0):g} cores and {there.get('GPU', 0):g} GPUs: room for {room} workers "
            f"of {crew.threads} cores and {crew.gpus or 0:g} GPUs. Take fewer --workers, or give --min-workers."
        )
    return crew.workers or room
