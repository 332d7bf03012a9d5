"""The second stage: a UNet that takes noise out of latents, told by cross-attention what the image shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from jaxtyping import Float, Int
from torch import Tensor, nn
from transformers.models.clip.modeling_clip import CLIPTextModel
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from deixis.training.loop import Average, Stage, generator, learning_rate, run
from deixis.training.text_encoder import join


@dataclass(frozen=True)
class DenoiserPlan:
    """Size and training of the UNet.

    Args:
        channels: widths of its levels, finest first. The finest level attends on the way up only.
        heads: attention heads per level.
        steps: optimisation steps.
        batch: latents per step.
        peak: peak learning rate.
        decay: of the exponential average that is shipped.
        empty: share of captions left empty, for the "" prediction.
        alone: share of captions that hold one phrase of the image instead of all of them.
        focus: share of timesteps drawn evenly over log-SNR in ±4, where findings take shape; the rest evenly over t.
        seed: of weights and data.
    """

    channels: tuple[int, ...] = (32, 96, 160)
    heads: tuple[int, ...] = (1, 3, 5)
    steps: int = 2000
    batch: int = 24
    peak: float = 1e-3
    decay: float = 0.999
    empty: float = 0.12
    alone: float = 0.5
    focus: float = 0.7
    seed: int = 0


def new_schedule() -> DDIMScheduler:
    """Stable Diffusion's schedule with v-prediction."""
    return DDIMScheduler(
        num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
        prediction_type="v_prediction", clip_sample=False, set_alpha_to_one=False, steps_offset=1,
    )  # fmt: skip


def new_denoiser(plan: DenoiserPlan, latent_channels: int, side: int, context: int) -> UNet2DConditionModel:
    """An untrained UNet for square latents of `side` cells and text states of width `context`."""
    torch.manual_seed(plan.seed)
    coarser = len(plan.channels) - 1
    return UNet2DConditionModel(
        sample_size=side, in_channels=latent_channels, out_channels=latent_channels,
        down_block_types=("DownBlock2D", *("CrossAttnDownBlock2D",) * coarser),
        up_block_types=("CrossAttnUpBlock2D",) * (coarser + 1), block_out_channels=plan.channels,
        layers_per_block=1, cross_attention_dim=context, norm_num_groups=16,
        # The argument's name is historical: it is the number of heads.
        attention_head_dim=plan.heads,
    )  # fmt: skip


@dataclass(frozen=True)
class Latents:
    """The corpus as the denoiser sees it: scaled latents ``[image channel row column]`` and phrases per image."""

    values: Float[Tensor, "image channel row column"]
    phrases: tuple[tuple[str, ...], ...]


def train_denoiser(
    plan: DenoiserPlan,
    latents: Latents,
    text: tuple[CLIPTokenizer, CLIPTextModel],
    folder: Path,
    device: str = "cpu",
    *,
    start: UNet2DConditionModel | None = None,
) -> UNet2DConditionModel:
    """A denoiser of the latents under a frozen text encoder, averaged over training; resumable.

    It begins with random weights, or with those of `start`.
    """
    tokenizer, encoder = text[0], text[1].to(device)
    _, channels, side, _ = latents.values.shape
    model = (start or new_denoiser(plan, channels, side, encoder.config.hidden_size)).to(device).train()
    average = Average(model, plan.decay)
    optimiser = torch.optim.AdamW(model.parameters(), lr=plan.peak, betas=(0.9, 0.99), weight_decay=0.01)
    alphas_bar = new_schedule().alphas_cumprod.to(device)

    def step(i: int) -> float:
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(i, plan.steps, plan.peak)
        rows, timesteps, noise = draw(plan, latents, alphas_bar.cpu(), i)
        clean, noise, timesteps = latents.values[rows].float().to(device), noise.to(device), timesteps.to(device)
        ids = caption_ids(tokenizer, captions(plan, [latents.phrases[row] for row in rows.tolist()], i)).to(device)
        signal, sigma = (a.view(-1, 1, 1, 1) for a in _signal_and_noise(alphas_bar[timesteps]))
        with torch.autocast(device, torch.bfloat16):
            with torch.no_grad():
                states = encoder(input_ids=ids).last_hidden_state
            answer = model(signal * clean + sigma * noise, timesteps, states).sample
        loss = nn.functional.mse_loss(answer.float(), signal * noise - sigma * clean)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        average.update(model)
        return float(loss.detach())

    parts = {"model": model, "average": average, "optimiser": optimiser}
    run(Stage("denoiser", plan.steps, parts, step), folder)
    average.copy_to(model)
    return model.eval().requires_grad_(False)


def draw(
    plan: DenoiserPlan, latents: Latents, alphas_bar: Float[Tensor, " timestep"], step: int
) -> tuple[Int[Tensor, " case"], Int[Tensor, " case"], Float[Tensor, "case channel row column"]]:
    """Which images, at which timesteps, under which noise: everything random of a step but the captions."""
    source = generator(plan.seed, step)
    rows = torch.randint(len(latents.phrases), (plan.batch,), generator=source)
    evenly = torch.randint(len(alphas_bar), (plan.batch,), generator=source)
    log_snr = torch.log(alphas_bar / (1 - alphas_bar))
    wanted = 8 * torch.rand(plan.batch, generator=source) - 4
    focused = (log_snr[None, :] - wanted[:, None]).abs().argmin(1)
    timesteps = torch.where(torch.rand(plan.batch, generator=source) < plan.focus, focused, evenly)
    noise = torch.randn((plan.batch, *latents.values.shape[1:]), generator=source)
    return rows, timesteps, noise


def captions(plan: DenoiserPlan, phrases: Sequence[Sequence[str]], step: int) -> list[str]:
    """One caption per image: nothing, one of its phrases, or all of them in any order."""
    source = generator(plan.seed + 7, step)
    texts = []
    for said in phrases:
        dice = torch.rand(2, generator=source).tolist()
        order = torch.randperm(len(said), generator=source).tolist()
        if dice[0] < plan.empty:
            texts.append("")
        else:
            chosen = order[:1] if dice[1] < plan.alone else order
            texts.append(join([said[k] for k in chosen])[0])
    return texts


def caption_ids(tokenizer: CLIPTokenizer, texts: list[str]) -> Int[Tensor, "case token"]:
    """Token ids padded to the tokenizer's length; what does not fit is cut."""
    encoded = tokenizer(texts, padding="max_length", truncation=True, return_tensors="pt")
    ids: Int[Tensor, "case token"] = encoded["input_ids"]
    return ids


def _signal_and_noise(alphas_bar: Float[Tensor, " case"]) -> tuple[Tensor, Tensor]:
    """√ᾱ and √(1 - ᾱ)."""
    return alphas_bar.sqrt(), (1 - alphas_bar).sqrt()
