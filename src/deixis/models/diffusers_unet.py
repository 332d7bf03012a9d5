"""The denoiser part of the Stable Diffusion families: `UNet2DConditionModel` and its cross-attention layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from deixis.errors import ModelError
from deixis.models.discovery import Layer, discover
from deixis.models.listening import Arguments, Call, Keywords, Projection
from deixis.types import Context

if TYPE_CHECKING:
    from diffusers.models.attention_processor import Attention
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

# Below -10000 a probability underflows to 0 in every precision; it is the constant that the UNet itself adds.
MASKED = -10000.0
# Stable Diffusion XL is told six sizes: height and width of the original, of the crop's corner, and of the aim.
SIZES = 6


class DiffusersUNet:
    """A `Denoiser` over one UNet; `context.extra` goes to it as added conditioning, where it takes any."""

    def __init__(self, unet: UNet2DConditionModel, tokens: int) -> None:
        self.module = unet
        # Asked of diffusers, it is sought through all modules: milliseconds a call.
        self._dtype = unet.dtype
        self.projections = discover_sites(unet, tokens)
        self.sides = _sides(unet.config["sample_size"])
        self.channels = int(unet.config["in_channels"])

    def answer(
        self, latent: Float[Tensor, "case channel row column"], timestep: Int[Tensor, " case"], context: Context
    ) -> Float[Tensor, "case channel row column"]:
        """The network's answer, in its own precision."""
        unet = self.module
        answer: Tensor = unet(
            latent.to(self._dtype),
            timestep,
            self.text_states(context),
            added_cond_kwargs={name: value.to(self._dtype) for name, value in context.extra.items()} or None,
            encoder_attention_mask=context.mask,
            return_dict=False,
        )[0]
        return answer

    def read_call(self, arguments: Arguments, keywords: Keywords) -> Call:
        """Timesteps, text mask and size of a running call."""
        latent, mask = arguments[0], keywords["encoder_attention_mask"]
        return Call(arguments[1], mask_bias(mask, latent.dtype), (latent.shape[-2], latent.shape[-1]))

    def bias(self, context: Context) -> Float[Tensor, "case token"] | None:
        """See `Denoiser.bias`."""
        return mask_bias(context.mask, self._dtype)

    def text_states(self, context: Context) -> Float[Tensor, "case token dim"]:
        """The states themselves, in the network's precision."""
        return context.states.to(self._dtype)


def mask_bias(mask: Bool[Tensor, "case token"] | None, dtype: torch.dtype) -> Float[Tensor, "case token"] | None:
    """What diffusers adds to the logits where a text is masked."""
    return None if mask is None else (1 - mask.to(dtype)) * MASKED


def projections_of(layer: Attention) -> tuple[nn.Module, nn.Module, nn.Module, nn.Linear]:
    """The four linear modules of an attention layer of diffusers; after `to_out` there is only its dropout."""
    return layer.to_q, cast("nn.Module", layer.to_k), cast("nn.Module", layer.to_v), cast("nn.Linear", layer.to_out[0])


def discover_sites(unet: UNet2DConditionModel, tokens: int) -> tuple[Projection, ...]:
    """The cross-attention layers of a UNet in the order in which they run.

    Raises:
        ModelError: the network needs more conditioning than a text, or has no cross-attention over it.
    """
    from diffusers.models.attention_processor import Attention
    from diffusers.models.transformers.transformer_2d import Transformer2DModel

    config = unet.config
    kind: dict[str, Any] = {"device": unet.device, "dtype": unet.dtype}
    latent = torch.zeros(1, config["in_channels"], *_sides(config["sample_size"]), **kind)
    states = torch.zeros(1, tokens, config["cross_attention_dim"], **kind)
    modules = dict(unet.named_modules())
    planes = [module for module in modules.values() if isinstance(module, Transformer2DModel)]
    layers = [
        Layer(name, *projections_of(module), module.heads, module.scale, module.norm_q, module.norm_k)
        for name, module in modules.items()
        if isinstance(module, Attention) and module.is_cross_attention
    ]
    timestep = torch.zeros(1, device=unet.device, dtype=torch.long)
    added = _added(unet)
    return discover(lambda: unet(latent, timestep, states, added_cond_kwargs=added), planes, layers)


def _added(unet: UNet2DConditionModel) -> dict[str, Tensor] | None:
    """Zeros in the shapes of what a UNet takes beside the text; more than pooled text and sizes raises `ModelError`."""
    config = unet.config
    kind = config["addition_embed_type"]
    if kind is None and config["encoder_hid_dim_type"] is None:
        return None
    if kind != "text_time" or config["encoder_hid_dim_type"] is not None:
        told = kind or config["encoder_hid_dim_type"]
        raise ModelError(f"This UNet takes further conditioning ({told}), which deixis does not read.")
    width = config["projection_class_embeddings_input_dim"] - SIZES * config["addition_time_embed_dim"]
    shapes = {"text_embeds": width, "time_ids": SIZES}
    return {name: torch.zeros(1, n, device=unet.device, dtype=unet.dtype) for name, n in shapes.items()}


def _sides(sample_size: int | tuple[int, int]) -> tuple[int, int]:
    return (sample_size, sample_size) if isinstance(sample_size, int) else (sample_size[0], sample_size[1])
