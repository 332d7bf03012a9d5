"""A training can be stopped anywhere and goes on as if it had not been."""

import os
import signal
from pathlib import Path

import pytest
import torch

from deixis.training.loop import Average, Stage, generator, learning_rate, read_log, run


def stage_of(model: torch.nn.Linear, steps: int, stop_at: int | None = None) -> Stage:
    """Fit a line to random points; ask to stop during step `stop_at`."""
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.05)
    average = Average(model, 0.9)

    def step(i: int) -> float:
        if i == stop_at:
            os.kill(os.getpid(), signal.SIGINT)
        x = torch.randn(8, 3, generator=generator(1, i))
        loss = (model(x) - x.sum(1, keepdim=True)).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        average.update(model)
        return float(loss)

    return Stage("line", steps, {"model": model, "average": average, "optimiser": optimiser}, step)


def new_model() -> torch.nn.Linear:
    """The same untrained model every time."""
    torch.manual_seed(0)
    return torch.nn.Linear(3, 1)


def test_interrupted_run_ends_bit_equal_to_an_undisturbed_one(tmp_path: Path) -> None:
    """Ctrl-C in the middle, then a new process's worth of objects: the same weights and the same log."""
    whole, parted = new_model(), new_model()
    run(stage_of(whole, 60), tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(stage_of(parted, 60, stop_at=33), tmp_path / "parted")
    resumed = new_model()
    run(stage_of(resumed, 60), tmp_path / "parted")
    assert torch.equal(whole.weight, resumed.weight)
    assert [row[:2] for row in read_log(tmp_path / "whole")] == [row[:2] for row in read_log(tmp_path / "parted")][:3]


def test_finished_stage_is_not_run_again(tmp_path: Path) -> None:
    """A second call restores the end state and does no step."""
    model = new_model()
    run(stage_of(model, 5), tmp_path)
    again = new_model()
    run(stage_of(again, 5, stop_at=0), tmp_path)
    assert torch.equal(model.weight, again.weight)


def test_handlers_are_put_back(tmp_path: Path) -> None:
    """The signal handlers of the caller are untouched afterwards."""
    before = signal.getsignal(signal.SIGTERM)
    run(stage_of(new_model(), 2), tmp_path)
    assert signal.getsignal(signal.SIGTERM) is before


def test_average_forgets_the_start() -> None:
    """After many updates with a constant the average is that constant."""
    model = new_model()
    average = Average(model, 0.99)
    with torch.no_grad():
        model.weight.fill_(3.0)
    for _ in range(200):
        average.update(model)
    average.copy_to(model)
    assert torch.allclose(model.weight, torch.full_like(model.weight, 3.0), atol=0.2)


def test_learning_rate_warms_up_and_comes_down() -> None:
    """From near 0 to the peak, then to a twentieth of it."""
    assert learning_rate(0, 1000, 1.0) == pytest.approx(1 / 200)
    assert learning_rate(200, 1000, 1.0) == pytest.approx(1.0)
    assert learning_rate(1000, 1000, 1.0) == pytest.approx(0.05, abs=1e-3)
