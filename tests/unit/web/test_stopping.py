"""Work is stopped between two evaluations: by whoever asked, or by the clock."""

import pytest

from deixis.ground import open_image
from deixis.web.stopping import Stop, StoppableModel, Stopped


def test_nothing_stops_what_nobody_stopped():
    stop = Stop(100)
    stop.check()
    stop.start()
    stop.check()


def test_a_word_stops_it():
    stop = Stop(100)
    stop.say()
    with pytest.raises(Stopped) as caught:
        stop.check()
    assert caught.value.reason == "cancelled"


def test_the_clock_runs_from_the_start_of_the_work():
    stop = Stop(0)
    stop.check()
    stop.start()
    with pytest.raises(Stopped) as caught:
        stop.check()
    assert caught.value.reason == "expired"


def test_an_image_is_not_opened_once_it_is_stopped(tiny_model, grey):
    model = StoppableModel(tiny_model)
    model.stop.say()
    with pytest.raises(Stopped):
        open_image(grey, model, "fast")
    assert model.evaluations == 0


def test_it_is_stopped_in_the_middle_and_leaves_the_model_as_it_was(tiny_model, grey):
    """After the first evaluations somebody says no: the next call raises, and no hook stays."""
    model = StoppableModel(tiny_model)
    view = open_image(grey, model, "fast", batch=2)
    model.tell = model.stop.say
    with pytest.raises(Stopped):
        view.find("opacity")
    assert model.evaluations == 2
    model.stop, model.tell = Stop(100), lambda: None
    denoiser = tiny_model._parts.denoiser.module
    assert sum(len(part._forward_hooks) for part in denoiser.modules()) == 0
    expected = open_image(grey, tiny_model, "fast", batch=2).find("opacity")
    assert (view.find("opacity").heat.values == expected.heat.values).all()


def test_every_evaluation_is_told(tiny_model, grey):
    model, told = StoppableModel(tiny_model), []
    model.tell = lambda: told.append(model.evaluations)
    open_image(grey, model, "fast", batch=4).find("opacity")
    assert told == [4, 8, 10]
