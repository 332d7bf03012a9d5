"""Timesteps, and which of them are read."""

import numpy as np
import pytest

from deixis.diffusion.schedule import (
    follows_scaled_linear,
    positions_by_log_snr,
    positions_by_share,
    spread_timesteps,
    trailing_timesteps,
)
from deixis.types import Schedule


def scaled_linear(first=0.0015, last=0.0205, trained=1000):
    return Schedule(np.cumprod(1 - np.linspace(first**0.5, last**0.5, trained) ** 2))


def test_300_steps_give_334_timesteps():
    """1000 // 300 = 3, so the published list is 0, 3, …, 999."""
    assert trailing_timesteps(300).tolist() == list(range(0, 1000, 3))


def test_50_steps_end_at_the_noisiest():
    """The list is counted back from 999: 19, 39, …, 999."""
    assert trailing_timesteps(50).tolist() == list(range(19, 1000, 20))


@pytest.mark.parametrize("steps", [0, 1001, -3])
def test_impossible_numbers_of_steps_are_refused(steps):
    """Neither no step nor more steps than were trained."""
    with pytest.raises(ValueError, match="1 to 1000"):
        trailing_timesteps(steps)


def test_the_published_share_is_120_to_179():
    """T/2 ± 10 % of T, of the asked 300 and not of the 334; the timesteps there are 360 … 537."""
    positions = positions_by_share(300, (0.4, 0.6))
    assert positions == range(120, 180)
    assert trailing_timesteps(300)[list(positions)][[0, -1]].tolist() == [360, 537]


def test_shares_survive_rounding():
    """0.29 · 100 is 28.999999999999996 in floats, and still means 29."""
    assert positions_by_share(100, (0.29, 0.57)) == range(29, 57)


def test_log_snr_window_picks_the_published_timesteps():
    """On the published schedule the log-SNR window and the published share name the same steps, but for the edge."""
    schedule = scaled_linear()
    positions = positions_by_log_snr(schedule, trailing_timesteps(300), (-2.47, -0.89))
    assert positions == range(120, 180)


def test_a_window_without_steps_is_empty():
    """No step at an unheard-of noise level."""
    assert len(positions_by_log_snr(scaled_linear(), trailing_timesteps(300), (50, 60))) == 0


def test_spread_timesteps_are_even_in_log_snr():
    """Neighbours differ by the same log-SNR, to within what whole timesteps allow; from clean to noisy."""
    schedule = scaled_linear()
    timesteps = spread_timesteps(schedule, (-2.47, -0.90), 10)
    levels = schedule.log_snr(timesteps)
    assert np.allclose(np.diff(levels), -1.57 / 9, atol=0.02)
    assert np.allclose(levels[[0, -1]], [-0.90, -2.47], atol=0.01)
    assert (np.diff(timesteps) > 0).all()


def test_one_noising_stands_in_the_middle():
    """A single draw takes the middle of the window."""
    schedule = scaled_linear()
    assert schedule.log_snr(spread_timesteps(schedule, (-2, -1), 1))[0] == pytest.approx(-1.5, abs=0.01)


def test_the_published_schedule_is_recognised_also_in_float32():
    """Libraries keep ᾱ in float32; Stable Diffusion's betas are another schedule."""
    rounded = Schedule(scaled_linear().alphas_bar.astype(np.float32).astype(np.float64))
    assert follows_scaled_linear(rounded, (0.0015, 0.0205))
    assert not follows_scaled_linear(scaled_linear(0.00085, 0.012), (0.0015, 0.0205))
