"""Our own plain rendering of the published procedure, as a yardstick (arXiv 2404.12920; method page, section 1).

For every phrase anew: a batch of two ("" and the phrase) through all 334 steps, every self- and cross-attention
probability formed and kept in host memory; then the maps of the sites and steps that count, and the same finish.
It runs on any `deixis` model, so that both ways use the same network and weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from deixis.diffusion.ddim import step
from deixis.diffusion.schedule import stride, trailing_timesteps
from deixis.diffusion.walks import alpha, read_positions
from deixis.geometry import Placement
from deixis.maps.sites import sites_of
from deixis.maps.tokens import phrase_tokens
from deixis.recipes import InvertedWalk, Recipe
from deixis.types import Image, Phrase


@dataclass
class Everything:
    """All probabilities of all attention layers, call by call, in host memory."""

    calls: list[dict[str, Tensor]] = field(default_factory=list)
    current: dict[str, Tensor] = field(default_factory=dict)

    def keep(self, name: str, probabilities: Tensor) -> None:
        """One layer's, of the running call."""
        self.current[name] = probabilities.detach().to("cpu", copy=True)

    def next_call(self) -> None:
        """The call is over."""
        self.calls.append(self.current)
        self.current = {}


def smoothed_heat(model: Any, denoiser: nn.Module, image: Image, text: str, recipe: Recipe) -> np.ndarray:
    """The heat before the threshold, at the model's size, as `deixis.maps.refine.refined` gives it."""
    from deixis.maps.refine import refined

    walk, spec = recipe.walk, model.spec
    if not isinstance(walk, InvertedWalk):
        raise TypeError("the published procedure inverts")
    reading = recipe.readings.get(spec.name)
    timesteps = trailing_timesteps(walk.steps, len(model.schedule.alphas_bar))
    window = read_positions(model.schedule, timesteps, walk, None if reading is None else reading.log_snr)
    sites = sites_of(spec, recipe)
    context = model.embed(["", text])
    placement = Placement.fitting(image.shape, (spec.image_size,) * 2, recipe.fit)
    pixels = placement.to_model(image.pixels, antialias=recipe.antialias)
    latent = model.encode(torch.from_numpy(pixels)[None, None])
    kept, ahead = Everything(), stride(walk.steps, len(model.schedule.alphas_bar))
    with torch.no_grad(), keeping(denoiser, kept):
        for timestep in timesteps.tolist():
            both = torch.full((2,), timestep, device=latent.device)
            noise = model.noise(torch.cat([latent, latent]), both, context)[:1]
            kept.next_call()
            latent = step(latent, noise, alpha(model.schedule, timestep), alpha(model.schedule, timestep + ahead))
    tokens = torch.from_numpy(phrase_tokens(context, 1, Phrase(text)))
    maps = [
        one_map(kept.calls[position][site.name], site.heads, tokens, site.grid, spec.image_size)
        for position in window
        for site in sites
    ]
    return refined(torch.stack(maps).mean(0).numpy(), recipe.smoothing, recipe.gamma)


def one_map(probabilities: Tensor, heads: int, tokens: Tensor, grid: tuple[int, int], side: int) -> Tensor:
    """Of one site and step: the phrase's row of the batch, mean over heads and tokens, stretched, at the full size."""
    both = probabilities.reshape(2, heads, *probabilities.shape[-2:]).float()
    mean = both[1].mean(0)[:, tokens].mean(-1)
    mean = (mean - mean.min()) / (mean.max() - mean.min())
    return functional.interpolate(mean.reshape(1, 1, *grid), (side, side), mode="bilinear", align_corners=False)[0, 0]


@contextmanager
def keeping(denoiser: nn.Module, kept: Everything) -> Iterator[None]:
    """Every attention layer forms its probabilities in full, as the published code does, and hands them over."""
    undo = [change for name, module in denoiser.named_modules() for change in kept_from(name, module, kept)]
    try:
        yield
    finally:
        for change in undo:
            change()


def kept_from(name: str, module: nn.Module, kept: Everything) -> Iterator[Callable[[], None]]:
    """How to undo what makes one layer of diffusers or MONAI hand its probabilities over."""
    if type(module).__name__ == "Attention":
        known = module.processor
        module.processor = Explicit(name, kept)
        yield lambda: setattr(module, "processor", known)
    elif hasattr(module, "drop_weights"):
        # MONAI's layers form them anyway, and pass them through this dropout.
        handle = module.drop_weights.register_forward_hook(lambda _, given, answer: kept.keep(name, answer))
        yield handle.remove


class Explicit:
    """Attention of diffusers, step by step, without a fused kernel."""

    def __init__(self, name: str, kept: Everything) -> None:
        self.name, self.kept = name, kept

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor | None = None, **_: Any
    ) -> Tensor:
        told = hidden_states if encoder_hidden_states is None else encoder_hidden_states
        q = attn.head_to_batch_dim(attn.to_q(hidden_states))
        k, v = attn.head_to_batch_dim(attn.to_k(told)), attn.head_to_batch_dim(attn.to_v(told))
        probabilities = attn.get_attention_scores(q, k)
        self.kept.keep(self.name, probabilities)
        return attn.to_out[0](attn.batch_to_head_dim(probabilities @ v))
