"""The walks: how an image's latent comes to the noise levels that are read, once for any number of phrases."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from deixis.diffusion.ddim import noised, step, velocity, velocity_noise
from deixis.diffusion.schedule import (
    follows_scaled_linear,
    positions_by_log_snr,
    positions_by_share,
    spread_timesteps,
    stride,
    trailing_timesteps,
)
from deixis.errors import DeixisError
from deixis.recipes import InvertedWalk, NoisedWalk
from deixis.types import LatentModel, LatentTrajectory, Schedule

Latent = Float[Tensor, "1 channel row column"]
Window = tuple[float, float]
Predict = Callable[[Latent, int, float], Latent]


def walk(
    model: LatentModel,
    latent: Latent,
    how: InvertedWalk | NoisedWalk,
    *,
    content: str,
    seed: int = 0,
    log_snr: Window | None = None,
) -> LatentTrajectory:
    """The latents of one image at the noise levels that are read.

    Args:
        model: walks with its "" prediction; a noised walk does not call it.
        latent: the clean latent, already scaled.
        how: the recipe's walk.
        content: hash of the image. It seeds the noise, so that an answer depends neither on the device nor on which
            image came before.
        seed: which noise; an inversion has none.
        log_snr: noise levels to read in place of the recipe's own window.
    """
    key = hashlib.sha256(f"{content} {model.spec.weights_sha256} {how} {seed} {log_snr}".encode()).hexdigest()
    if isinstance(how, NoisedWalk):
        timesteps = read_timesteps(model.schedule, how, log_snr)
        noise = draw_noise(latent, how.draws, content, seed)
        return LatentTrajectory(timesteps, noise_to(latent, noise, timesteps, model.schedule), key)
    timesteps = trailing_timesteps(how.steps, len(model.schedule.alphas_bar))
    positions = read_positions(model.schedule, timesteps, how, log_snr)
    latents = invert(predictor(model), latent, how, model.schedule, positions)
    return LatentTrajectory(timesteps[list(positions)], latents, key)


def read_timesteps(
    schedule: Schedule, how: InvertedWalk | NoisedWalk, log_snr: Window | None = None
) -> Int[np.ndarray, " step"]:
    """The timesteps at which a walk is read, from clean to noisy, without walking it."""
    if isinstance(how, NoisedWalk):
        return spread_timesteps(schedule, log_snr or how.log_snr, how.draws)
    timesteps = trailing_timesteps(how.steps, len(schedule.alphas_bar))
    return timesteps[list(read_positions(schedule, timesteps, how, log_snr))]


def read_positions(
    schedule: Schedule, timesteps: Int[np.ndarray, " step"], how: InvertedWalk, log_snr: Window | None
) -> range:
    """Which entries of the list of timesteps an inversion reads; an empty choice raises `DeixisError`.

    On the published schedule the published share of steps, on any other the noise levels which that share stands for.
    """
    if log_snr is None and follows_scaled_linear(schedule, how.betas):
        positions = positions_by_share(how.steps, how.window)
    else:
        positions = positions_by_log_snr(schedule, timesteps, log_snr or how.log_snr)
    if not positions or positions[-1] >= len(timesteps):
        window = log_snr or how.log_snr
        raise DeixisError(f"None of the walk's {len(timesteps)} steps has a log-SNR within {window}. Take more steps.")
    return positions


def invert(
    predict: Predict, latent: Latent, how: InvertedWalk, schedule: Schedule, positions: range
) -> Float[Tensor, "step channel row column"]:
    """DDIM inversion as far as the last position that is read; the latents that enter the network there.

    The network is evaluated at t_i on z_i, and what it predicts moves z from one noise level to the next. "published":
    from ᾱ(t_i) to ᾱ(t_i + Δ), with `schedule.first_alpha` beyond the last timestep (monai-generative 0.2.3, the step
    that the code of arXiv 2404.12920 runs). "intended": from ᾱ(t_i - Δ) to ᾱ(t_i), with ᾱ = 1 below 0 (the step that
    the same code defines and never binds). No position after the last is evaluated: nothing reads it.

    Args:
        predict: from z, the timestep, and the ᾱ from which the step starts, to ε at that ᾱ.
    """
    timesteps = trailing_timesteps(how.steps, len(schedule.alphas_bar))
    ahead = stride(how.steps, len(schedule.alphas_bar))
    behind = 0
    if how.step == "intended":
        ahead, behind = 0, ahead
    read = []
    for position, timestep in enumerate(timesteps[: positions[-1] + 1].tolist()):
        if position in positions:
            read.append(latent)
        if position < positions[-1]:
            alpha_from, alpha_to = alpha(schedule, timestep - behind), alpha(schedule, timestep + ahead)
            latent = step(latent, predict(latent, timestep, alpha_from), alpha_from, alpha_to)
    return torch.cat(read)


def predictor(model: LatentModel) -> Predict:
    """The model's "" prediction; its answer is turned into ε at the noise level from which the step starts.

    A v-prediction means another ε at another noise level. The "intended" step starts below the timestep at which the
    network was asked, and the published code reads v there.
    """
    empty = model.embed([""])

    def predict(z: Latent, timestep: int, alpha_from: float) -> Latent:
        noise = model.noise(z, torch.tensor([timestep], device=z.device), empty)
        asked = alpha(model.schedule, timestep)
        if model.spec.prediction != "v_prediction" or alpha_from == asked:
            return noise
        return velocity_noise(velocity(noise, z, asked), z, alpha_from)

    return predict


def alpha(schedule: Schedule, timestep: int) -> float:
    """ᾱ at a timestep; 1 before the first, `schedule.first_alpha` beyond the last."""
    if timestep < 0:
        return 1.0
    return float(schedule.alphas_bar[timestep]) if timestep < len(schedule.alphas_bar) else schedule.first_alpha


def noise_to(
    latent: Latent,
    noise: Float[Tensor, "step channel row column"],
    timesteps: Int[np.ndarray, " step"],
    schedule: Schedule,
) -> Float[Tensor, "step channel row column"]:
    """The clean latent noised to each timestep with its own noise, no inversion (after Info-Decomp, ICLR 2024)."""
    steps = enumerate(timesteps.tolist())
    return torch.cat([noised(latent, noise[i : i + 1], alpha(schedule, timestep)) for i, timestep in steps])


def draw_noise(latent: Latent, draws: int, content: str, seed: int) -> Float[Tensor, "step channel row column"]:
    """Standard normal noise that depends on the seed and the image alone.

    Drawn on the CPU, one draw at a time: so every device sees the same noise, and more draws only add to it.
    """
    entropy = hashlib.sha256(f"{seed} {content}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(entropy[:8], "big", signed=True))
    shape = (1, *latent.shape[1:])
    noise = [torch.randn(shape, generator=generator, dtype=torch.float32) for _ in range(draws)]
    return torch.cat(noise).to(device=latent.device, dtype=latent.dtype)
