"""Work in processes on this machine: in order, through deaths, and to the error that ends it."""

import os
import signal
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import pytest

from deixis.crew import ENGINES, Crew, Work, as_it_is
from deixis.errors import DeixisError, ManifestError, ResourceError
from deixis.processes import _devices, local_map

TWO = Crew(workers=2)


def doubling():
    return lambda item: 2 * item


def slow_first():
    return lambda item: time.sleep(0.3 if item == 0 else 0) or item


def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True)
class Dying:
    """Dies at an item until it has done so a number of times."""

    notes: Path
    times: int

    def __call__(self, item):
        if item == 3 and len(list(self.notes.iterdir())) < self.times:
            (self.notes / str(time.monotonic_ns())).touch()
            kill()
        return item


def dying(notes, times):
    return Dying(notes, times)


class OddError(Exception):
    """Does not survive being sent."""

    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


def odd(item):
    raise OddError("one", "two")


def odd_work():
    return odd


def manifest_error():
    raise ManifestError("no such model")


def failing(item):
    raise ManifestError(f"item {item} is wrong")


def failing_work():
    return failing


def pids():
    return lambda item: (time.sleep(0.2), os.getpid())[1]


def visible():
    return lambda item: os.environ.get("CUDA_VISIBLE_DEVICES")


def test_the_table_of_engines_knows_both():
    assert ENGINES["local"] is local_map
    assert set(ENGINES.names()) >= {"local", "ray"}


def test_results_come_in_order_whoever_is_faster():
    assert list(local_map(Work(as_it_is, slow_first), range(6), TWO)) == list(range(6))
    assert list(local_map(Work(as_it_is, doubling), [], TWO)) == []


def test_the_first_step_is_done_there_too():
    assert list(local_map(Work(str, doubling), range(3), TWO)) == ["00", "11", "22"]


def test_several_workers_work(tmp_path):
    assert len(set(local_map(Work(as_it_is, pids), range(4), TWO))) == 2


def test_a_worker_that_dies_is_replaced_and_its_item_done_again(tmp_path):
    work = Work(as_it_is, partial(dying, tmp_path, 2))
    assert list(local_map(work, range(6), Crew(workers=2, deaths=2))) == list(range(6))
    assert len(list(tmp_path.iterdir())) == 2


def test_an_item_that_kills_too_often_ends_the_work(tmp_path):
    work = Work(as_it_is, partial(dying, tmp_path, 9))
    with pytest.raises(ResourceError, match=r"Item 4 ended its worker 2 times \(killed by SIGKILL\)"):
        list(local_map(work, range(6), Crew(workers=2, deaths=1)))


def test_workers_that_die_as_they_begin_end_the_work():
    with pytest.raises(ResourceError, match="died 3 times as it began"):
        list(local_map(Work(as_it_is, kill), range(6), TWO))


@pytest.mark.parametrize(
    ("make", "kind", "told"),
    [
        (manifest_error, ManifestError, "no such model"),
        (failing_work, ManifestError, "item 0 is wrong"),
        (odd_work, DeixisError, "OddError: one two"),
    ],
)
def test_an_error_of_the_work_ends_it_as_it_is(make, kind, told):
    with pytest.raises(kind, match=told):
        list(local_map(Work(as_it_is, make), range(3), Crew(workers=1)))


def test_nobody_is_left_when_the_work_is_dropped():
    found = local_map(Work(as_it_is, pids), range(9), TWO)
    next(found)
    found.close()
    assert not [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]


def test_each_worker_sees_its_share_of_gpus():
    assert [_devices(0.5, number) for number in range(4)] == ["0", "0", "1", "1"]
    assert [_devices(2, number) for number in range(2)] == ["0,1", "2,3"]
    assert _devices(0, 1) == ""
    assert list(local_map(Work(as_it_is, visible), [0], Crew(workers=1, gpus=0))) == [""]
    with pytest.raises(DeixisError, match="how many --workers"):
        list(local_map(Work(as_it_is, visible), [0], Crew(gpus=0.5)))


def test_a_crew_that_cannot_be_is_refused():
    for wrong in ({"workers": -1}, {"threads": 0}, {"gpus": -1.0}, {"workers": 2, "min_workers": 3}):
        with pytest.raises(DeixisError):
            Crew(**wrong)
    assert Crew(workers=3).here == 3
    assert Crew(threads=10_000).here == 1
