"""The first stage: a KL autoencoder that turns pixels into a latent eight times smaller along each side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from jaxtyping import Float
from torch import Tensor, nn

from deixis.training.corpus import Corpus
from deixis.training.loop import Stage, generator, learning_rate, run


@dataclass(frozen=True)
class AutoencoderPlan:
    """Size and training of the autoencoder.

    Args:
        channels: widths of its four levels; three of them halve the grid, so a latent cell is 8 pixels wide.
        latent_channels: channels of the latent.
        steps: optimisation steps.
        batch: crops per step.
        crop: side of a crop in pixels.
        peak: peak learning rate.
        edges: weight of the error in image gradients, which keeps fine lines.
        divergence: weight of the Kullback-Leibler term.
        seed: of weights and data.
    """

    channels: tuple[int, ...] = (24, 48, 96, 96)
    latent_channels: int = 4
    steps: int = 1400
    batch: int = 8
    crop: int = 128
    peak: float = 2e-3
    edges: float = 1.0
    divergence: float = 1e-6
    seed: int = 0


def new_autoencoder(plan: AutoencoderPlan, image_size: int) -> AutoencoderKL:
    """An untrained `AutoencoderKL` of one grey channel in [-1, 1]."""
    torch.manual_seed(plan.seed)
    levels = len(plan.channels)
    return AutoencoderKL(
        in_channels=1, out_channels=1, down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels, block_out_channels=plan.channels, layers_per_block=1,
        latent_channels=plan.latent_channels, norm_num_groups=8, sample_size=image_size,
        mid_block_add_attention=False,
    )  # fmt: skip


def train_autoencoder(
    plan: AutoencoderPlan, corpus: Corpus, folder: Path, device: str = "cpu", *, start: AutoencoderKL | None = None
) -> AutoencoderKL:
    """An autoencoder of the corpus, its scaling factor set so that latents have unit variance; resumable.

    It begins with random weights, or with those of `start`.
    """
    model = (start or new_autoencoder(plan, corpus.pixels.shape[1])).to(device).train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=plan.peak, betas=(0.9, 0.99), weight_decay=0.0)

    def step(i: int) -> float:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(i, plan.steps, plan.peak, warmup=50)
        crops = random_crops(corpus, plan, i).to(device)
        with torch.autocast(device, torch.bfloat16):
            posterior = model.encode(crops).latent_dist
            # Noise on the CPU's generator, so that a resumed run draws the same.
            noise = torch.randn(posterior.mean.shape, generator=generator(plan.seed + 1, i)).to(device)
            decoded = model.decode(posterior.mean + posterior.std * noise).sample
        loss = reconstruction_loss(decoded.float(), crops, plan.edges) + plan.divergence * posterior.kl().mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        return float(loss.detach())

    run(Stage("autoencoder", plan.steps, {"model": model, "optimiser": optimiser}, step), folder)
    model.eval().requires_grad_(False)
    spread = encode_corpus(model, corpus, limit=256, device=device).std()
    model.register_to_config(scaling_factor=round(1.0 / float(spread), 4))
    return model


def reconstruction_loss(
    decoded: Float[Tensor, "case 1 y x"], wanted: Float[Tensor, "case 1 y x"], edges: float
) -> Float[Tensor, ""]:
    """Mean absolute error of pixels, and of the differences between neighbours weighted by `edges`."""
    error = decoded - wanted
    gradients = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    return error.abs().mean() + edges * gradients


def random_crops(corpus: Corpus, plan: AutoencoderPlan, step: int) -> Float[Tensor, "case 1 y x"]:
    """Crops of step `step`, in [-1, 1]."""
    source = generator(plan.seed, step)
    size = corpus.pixels.shape[1]
    images = torch.randint(len(corpus), (plan.batch,), generator=source).tolist()
    corners = torch.randint(size - plan.crop + 1, (plan.batch, 2), generator=source).tolist()
    crops = [corpus.pixels[i, y : y + plan.crop, x : x + plan.crop] for i, (y, x) in zip(images, corners, strict=True)]
    return as_input(np.stack(crops))


def as_input(pixels: np.ndarray) -> Float[Tensor, "case 1 y x"]:
    """uint8 ``[case y x]`` in the autoencoder's range [-1, 1]."""
    return torch.from_numpy(pixels.astype(np.float32))[:, None] / 127.5 - 1.0


@torch.no_grad()
def encode_corpus(
    model: AutoencoderKL, corpus: Corpus, *, limit: int | None = None, batch: int = 16, device: str = "cpu"
) -> Float[Tensor, "image channel row column"]:
    """Posterior means of the first `limit` images, float16, not yet scaled."""
    count = min(limit or len(corpus), len(corpus))
    means = []
    for start in range(0, count, batch):
        pixels = as_input(corpus.pixels[start : min(start + batch, count)]).to(device)
        with torch.autocast(device, torch.bfloat16):
            means.append(model.encode(pixels).latent_dist.mean.cpu().half())
    return torch.cat(means)
