"""Ray's side that needs no cluster: its errors as ours, and Ray that is not there. The rest is tests/doors."""

import builtins
import pickle

import pyarrow as pa
import pytest

from deixis import scale
from deixis.crew import Crew, Refused, Work, as_it_is
from deixis.errors import DeixisError, ManifestError, ResourceError


def nothing():
    return as_it_is


class OddError(Exception):
    """Does not survive being sent."""

    def __init__(self, one, two):
        super().__init__(f"{one} {two}")


def refuse(item):
    raise ManifestError(f"item {item} is wrong") if item else OddError("one", "two")


def table(*items):
    return pa.table({scale.CARGO: [pickle.dumps(item) for item in items]})


def taken(step, *items):
    return [pickle.loads(one) for one in step(table(*items))[scale.CARGO].to_pylist()]


def test_what_the_work_raises_goes_the_way_of_results():
    """Through the next step too, which does nothing with it."""
    refused = taken(scale._Step(lambda: refuse), 1, 0)
    assert [(type(one), str(one.error)) for one in refused] == [
        (Refused, "item 1 is wrong"), (Refused, "OddError: one two"),
    ]  # fmt: skip
    assert taken(scale._Step(nothing), *refused, 3)[2] == 3
    assert str(taken(scale._Step(nothing), *refused)[0].error) == "item 1 is wrong"


def test_a_worker_that_cannot_be_made_says_so_for_every_item():
    def make():
        raise ManifestError("no model")

    assert [str(one.error) for one in taken(scale._Step(make), 1, 2)] == ["no model"] * 2


def test_without_ray_it_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def absent(name, *more):
        if name.startswith("ray"):
            raise ImportError("no ray", name="ray")
        return real(name, *more)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(DeixisError, match=r"pip install 'deixis\[scale\]'"):
        list(scale.ray_map(Work(as_it_is, nothing), [1], Crew("ray")))


def test_standard_error_comes_back(capfd):
    with scale._hushed():
        import os

        os.write(2, b"unheard")
    os.write(2, b"heard")
    assert capfd.readouterr().err == "heard"


class Cluster:
    def __init__(self, **there):
        self.there = there

    def cluster_resources(self):
        return self.there


@pytest.mark.parametrize(
    ("there", "crew", "workers"),
    [
        ({"CPU": 8.0}, Crew("ray"), 8),
        ({"CPU": 8.0}, Crew("ray", threads=3), 2),
        ({"CPU": 8.0}, Crew("ray", workers=5), 5),
        ({"CPU": 8.0, "GPU": 2.0}, Crew("ray", gpus=0.5), 4),
        ({"CPU": 2.0}, Crew("ray", workers=9, min_workers=1), 9),
        ({"CPU": 2.0}, Crew("ray", workers=3), None),
        ({"CPU": 2.0}, Crew("ray", gpus=1.0), None),
    ],
)
def test_as_many_workers_as_there_is_room_for(monkeypatch, there, crew, workers):
    monkeypatch.setitem(__import__("sys").modules, "ray", Cluster(**there))
    if workers is None:
        with pytest.raises(ResourceError, match="room for"):
            scale._workers(crew)
    else:
        assert scale._workers(crew) == workers
