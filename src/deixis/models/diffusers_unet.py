"""The denoiser part of the Stable Diffusion families: `UNet2DConditionModel` and its cross-attention layers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from deixis.errors import ModelError
from deixis.models.listening import Arguments, Call, Keywords, Projection
from deixis.types import Context, Site

if TYPE_CHECKING:
    from diffusers.models.attention_processor import Attention
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

# Below -10000 a probability underflows to 0 in every precision; it is the constant that the UNet itself adds.
MASKED = -10000.0


class DiffusersUNet:
    """A `Denoiser` over one UNet; `context.extra` goes to it as added conditioning, where it takes any."""

    def __init__(self, unet: UNet2DConditionModel, tokens: int) -> None:
        self.module = unet
        self.projections = discover(unet, tokens)
        self.sides = _sides(unet.config["sample_size"])
        self.channels = int(unet.config["in_channels"])

    def answer(
        self, latent: Float[Tensor, "case channel row column"], timestep: Int[Tensor, " case"], context: Context
    ) -> Float[Tensor, "case channel row column"]:
        """The network's answer, in its own precision."""
        unet = self.module
        answer: Tensor = unet(
            latent.to(unet.dtype),
            timestep,
            self.text_states(context),
            added_cond_kwargs={name: value.to(unet.dtype) for name, value in context.extra.items()} or None,
            encoder_attention_mask=context.mask,
            return_dict=False,
        )[0]
        return answer

    def read_call(self, arguments: Arguments, keywords: Keywords) -> Call:
        """Timesteps and text mask of a running call."""
        mask = keywords["encoder_attention_mask"]
        return Call(arguments[1], None if mask is None else (1 - mask.to(arguments[0].dtype)) * MASKED)

    def text_states(self, context: Context) -> Float[Tensor, "case token dim"]:
        """The states themselves, in the network's precision."""
        return context.states.to(self.module.dtype)


@torch.no_grad()
def discover(unet: UNet2DConditionModel, tokens: int) -> tuple[Projection, ...]:
    """One dry call shows which cross-attention layers run, when, and on what grid.

    `named_modules` would list the middle block after the upward ones, and a token count does not tell height from
    width; so order and grid are taken from the call itself.

    Raises:
        ModelError: the network needs more conditioning than a text, or has no cross-attention over it.
    """
    config = unet.config
    if config["addition_embed_type"] is not None or config["encoder_hid_dim_type"] is not None:
        raise ModelError("This UNet takes further conditioning (SDXL, image prompts), which deixis does not read yet.")
    recorder = _Recorder()
    handles = recorder.attach(unet)
    try:
        latent = torch.zeros(
            1, config["in_channels"], *_sides(config["sample_size"]), device=unet.device, dtype=unet.dtype
        )
        states = torch.zeros(1, tokens, config["cross_attention_dim"], device=unet.device, dtype=unet.dtype)
        unet(latent, torch.zeros(1, device=unet.device, dtype=torch.long), states)
    finally:
        for handle in handles:
            handle.remove()
    if not recorder.found:
        raise ModelError("This UNet has no cross-attention over a text, so no phrase can be read from it.")
    return tuple(recorder.found)


class _Recorder:
    """Notes every cross-attention layer as its queries are formed."""

    def __init__(self) -> None:
        self.grid = (0, 0)
        self.found: list[Projection] = []

    def attach(self, unet: UNet2DConditionModel) -> list[Any]:
        from diffusers.models.attention_processor import Attention
        from diffusers.models.transformers.transformer_2d import Transformer2DModel

        handles: list[Any] = []
        for name, module in unet.named_modules():
            if isinstance(module, Transformer2DModel):
                handles.append(module.register_forward_pre_hook(self.note_grid))
            elif isinstance(module, Attention) and module.is_cross_attention:
                handles.append(module.to_q.register_forward_hook(partial(self.note_site, name, module)))
        return handles

    def note_grid(self, module: nn.Module, arguments: tuple[Tensor, ...]) -> None:
        height, width = arguments[0].shape[-2:]
        self.grid = (height, width)

    def note_site(
        self, name: str, layer: Attention, module: nn.Module, arguments: tuple[Tensor, ...], answer: Tensor
    ) -> None:
        site = Site(
            name=name,
            index=len(self.found),
            kind="cross",
            grid=self.grid,
            heads=layer.heads,
            scale=layer.scale,
            stage=name.partition(".attentions")[0],
        )
        self.found.append(Projection(site, layer.to_q, layer.to_k, layer.norm_q, layer.norm_k))


def _sides(sample_size: int | tuple[int, int]) -> tuple[int, int]:
    return (sample_size, sample_size) if isinstance(sample_size, int) else (sample_size[0], sample_size[1])
