"""Ray's side that needs no cluster: its errors as ours, and Ray that is not there. The rest is tests/doors."""

import builtins

import pytest

from deixis import scale
from deixis.crew import Crew, Work, as_it_is
from deixis.errors import DeixisError, ManifestError, ResourceError


def nothing():
    return as_it_is


def test_an_error_of_ours_comes_out_of_rays():
    wrapped = RuntimeError("ray")
    wrapped.cause = ValueError("inside")
    wrapped.cause.__cause__ = ManifestError("no image")
    assert str(scale._told(wrapped)) == "no image"
    assert isinstance(scale._told(RuntimeError("first\nlast line")), ResourceError)
    assert "last line" in str(scale._told(RuntimeError("first\nlast line")))


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
