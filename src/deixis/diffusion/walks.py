"""The walks: how an image's latent comes to the noise levels that are read, once for any number of phrases."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from deixis.diffusion.ddim import clean, noised, step, velocity, velocity_noise
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
from deixis.types import Context, LatentModel, LatentTrajectory, Schedule

Latents = Float[Tensor, "image channel row column"]
Window = tuple[float, float]
# Steps in which an image is made up, beside those that are read.
GENERATED_STEPS = 25
Predict = Callable[[Latents, int, float], Latents]


@dataclass(frozen=True)
class Course:
    """All that a walk depends on, but for the image.

    Args:
        how: the recipe's walk.
        seed: which noise; an inversion has none.
        log_snr: noise levels to read in place of the recipe's own window.
    """

    how: InvertedWalk | NoisedWalk
    seed: int = 0
    log_snr: Window | None = None

    def key(self, model: LatentModel, content: str) -> str:
        """Names the trajectory of an image under a model: equal keys hold equal latents."""
        said = f"{content} {model.spec.weights_sha256} {self.how} {self.seed} {self.log_snr}"
        return hashlib.sha256(said.encode()).hexdigest()


def walk(model: LatentModel, latents: Latents, course: Course, contents: Sequence[str]) -> tuple[LatentTrajectory, ...]:
    """The latents of images at the noise levels that are read; all images take each step together.

    Args:
        model: walks with its "" prediction; a noised walk does not call it.
        latents: the clean latents, already scaled, one per image.
        course: how to walk.
        contents: hash of each image. It seeds the noise, so that an answer depends neither on the device nor on which
            images come along.
    """
    how, schedule = course.how, model.schedule
    keys = [course.key(model, content) for content in contents]
    if isinstance(how, NoisedWalk):
        timesteps = read_timesteps(schedule, how, course.log_snr)
        images = [latents[i : i + 1] for i in range(len(contents))]
        noises = [draw_noise(one, how.draws, said, course.seed) for one, said in zip(images, contents, strict=True)]
        walked = [noise_to(one, noise, timesteps, schedule) for one, noise in zip(images, noises, strict=True)]
    else:
        every = trailing_timesteps(how.steps, len(schedule.alphas_bar))
        positions = read_positions(schedule, every, how, course.log_snr)
        timesteps = every[list(positions)]
        walked = list(invert(predictor(model), latents, how, schedule, positions).unbind(dim=1))
    return tuple(
        LatentTrajectory(timesteps, one, latents[index : index + 1], key)
        for index, (one, key) in enumerate(zip(walked, keys, strict=True))
    )


def generated(
    model: LatentModel, context: Context, course: Course, shape: tuple[int, ...], steps: int = GENERATED_STEPS
) -> tuple[LatentTrajectory, ...]:
    """Latents of images that the model makes up from pure noise, one per text, at the noise levels that are read.

    DDIM without guidance through `steps` evenly spaced timesteps and those that are read; the noise depends on the text
    and the seed. Its clean latent is what the network expects at the last step.

    Args:
        model: walks with its prediction for the text.
        context: the texts.
        course: which noise levels are read, and the seed.
        shape: of one latent, ``[channel row column]``.
        steps: evenly spaced timesteps.
    """
    schedule = model.schedule
    wanted = read_timesteps(schedule, course.how, course.log_snr)
    visited = sorted({*trailing_timesteps(steps, len(schedule.alphas_bar)).tolist(), *wanted.tolist()}, reverse=True)
    visited = [timestep for timestep in visited if timestep >= wanted.min()]
    like = context.states.new_zeros(1, *shape)
    z = torch.cat([draw_noise(like, 1, text, course.seed) for text in context.texts])
    passed: dict[int, Latents] = {}
    expected = z
    for timestep, following in itertools.pairwise([*visited, -1]):
        passed[timestep] = z
        noise = model.noise(z, torch.full((len(z),), timestep, device=z.device), context)
        expected = clean(z, noise, alpha(schedule, timestep))
        z = noised(expected, noise, alpha(schedule, following))
    latents = torch.stack([passed[timestep] for timestep in wanted.tolist()], dim=1)
    keys = [course.key(model, f"generated {text}") for text in context.texts]
    return tuple(
        LatentTrajectory(wanted, latents[index], expected[index : index + 1], key) for index, key in enumerate(keys)
    )


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
    predict: Predict, latents: Latents, how: InvertedWalk, schedule: Schedule, positions: range
) -> Float[Tensor, "step image channel row column"]:
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
            read.append(latents)
        if position < positions[-1]:
            alpha_from, alpha_to = alpha(schedule, timestep - behind), alpha(schedule, timestep + ahead)
            latents = step(latents, predict(latents, timestep, alpha_from), alpha_from, alpha_to)
    return torch.stack(read)


def predictor(model: LatentModel) -> Predict:
    """The model's "" prediction; its answer is turned into ε at the noise level from which the step starts.

    A v-prediction means another ε at another noise level. The "intended" step starts below the timestep at which the
    network was asked, and the published code reads v there.
    """
    empty = model.embed([""])

    def predict(z: Latents, timestep: int, alpha_from: float) -> Latents:
        asked_at = torch.full((len(z),), timestep, device=z.device)
        noise = model.noise(z, asked_at, empty.take([0] * len(z)))
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
    latent: Float[Tensor, "1 channel row column"],
    noise: Float[Tensor, "step channel row column"],
    timesteps: Int[np.ndarray, " step"],
    schedule: Schedule,
) -> Float[Tensor, "step channel row column"]:
    """The clean latent noised to each timestep with its own noise, no inversion (after Info-Decomp, ICLR 2024)."""
    steps = enumerate(timesteps.tolist())
    return torch.cat([noised(latent, noise[i : i + 1], alpha(schedule, timestep)) for i, timestep in steps])


def draw_noise(
    latent: Float[Tensor, "1 channel row column"], draws: int, content: str, seed: int
) -> Float[Tensor, "step channel row column"]:
    """Standard normal noise that depends on the seed and the image alone.

    Drawn on the CPU, one draw at a time: so every device sees the same noise, and more draws only add to it.
    """
    entropy = hashlib.sha256(f"{seed} {content}".encode()).digest()
    generator = torch.Generator().manual_seed(int.from_bytes(entropy[:8], "big", signed=True))
    shape = (1, *latent.shape[1:])
    noise = [torch.randn(shape, generator=generator, dtype=torch.float32) for _ in range(draws)]
    return torch.cat(noise).to(device=latent.device, dtype=latent.dtype)
