"""Which timesteps a walk visits, and which of them are read."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

from deixis.types import Schedule

# A tenth of a promille of relative slack: schedules are stored as float32 by most libraries.
SCHEDULE_TOLERANCE = 1e-4


def trailing_timesteps(steps: int, trained: int = 1000) -> Int[np.ndarray, " step"]:
    """The published "trailing" list, from clean to noisy.

    Every Δ-th timestep counted back from the noisiest, Δ = trained // steps. Because Δ is a whole number the list may
    be longer than asked: 300 steps give 334 timesteps 0, 3, …, 999, and 50 give 19, 39, …, 999 (arXiv 2404.12920, its
    code).

    Raises:
        ValueError: more steps than trained timesteps, or none.
    """
    if not 1 <= steps <= trained:
        raise ValueError(f"a walk takes 1 to {trained} steps, not {steps}")
    return np.arange(trained - 1, -1, -stride(steps, trained))[::-1].copy()


def stride(steps: int, trained: int = 1000) -> int:
    """Δ: timesteps between two entries of `trailing_timesteps`."""
    return trained // steps


def positions_by_share(steps: int, window: tuple[float, float]) -> range:
    """Positions in the list from `steps`·low up to, not including, `steps`·high.

    The shares are of the *asked* number of steps, as in the published code: 300 steps and (0.4, 0.6) give 120 … 179.
    """
    # The half promille keeps 0.29 · 100 = 28.999999999999996 from losing a step.
    first, end = (int(steps * share + 5e-4) for share in window)
    return range(first, end)


def positions_by_log_snr(schedule: Schedule, timesteps: Int[np.ndarray, " step"], window: tuple[float, float]) -> range:
    """Positions in the list whose log-SNR log(ᾱ/(1-ᾱ)) lies within `window`, both ends included; may be empty."""
    levels = schedule.log_snr(timesteps)
    inside = np.flatnonzero((levels >= window[0]) & (levels <= window[1]))
    return range(int(inside[0]), int(inside[-1]) + 1) if len(inside) else range(0)


def spread_timesteps(schedule: Schedule, window: tuple[float, float], draws: int) -> Int[np.ndarray, " step"]:
    """`draws` timesteps whose log-SNRs lie evenly over `window`, from clean to noisy; each the nearest there is."""
    if draws < 1:
        raise ValueError(f"at least one noising is needed, not {draws}")
    wanted = np.linspace(max(window), min(window), draws) if draws > 1 else np.array([sum(window) / 2])
    levels = schedule.log_snr(np.arange(len(schedule.alphas_bar)))
    return np.asarray(np.abs(levels[None, :] - wanted[:, None]).argmin(axis=1))


def follows_scaled_linear(schedule: Schedule, betas: tuple[float, float]) -> bool:
    """Whether ᾱ is that of √β rising linearly between the roots of `betas` (Rombach et al. 2022, "scaled linear").

    A share of the list of steps means the same noise level only on one and the same schedule.
    """
    trained = len(schedule.alphas_bar)
    beta = np.linspace(betas[0] ** 0.5, betas[1] ** 0.5, trained) ** 2
    return bool(np.allclose(schedule.alphas_bar, np.cumprod(1 - beta), rtol=SCHEDULE_TOLERANCE, atol=0))
