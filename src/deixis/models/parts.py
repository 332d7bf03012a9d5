"""The three parts of a latent diffusion model, as `ComposedModel` puts them together.

A family of models is a choice of parts. Each part wraps the modules of one library; all tensors stand on one device.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from deixis.models.listening import Arguments, Call, Keywords, Projection
from deixis.types import Context


@runtime_checkable
class Autoencoder(Protocol):
    """Pixels to latents.

    Args:
        scale: factor between the posterior mean and the latent that is diffused.
        downsampling: pixels per latent cell along a side.
    """

    @property
    def scale(self) -> float: ...

    @property
    def downsampling(self) -> int: ...

    def encode(self, pixels: Float[Tensor, "case 1 y x"]) -> Float[Tensor, "case channel row column"]:
        """Pixels in [0, 1] → float32 posterior mean times `scale`, on the model's device."""
        ...


@runtime_checkable
class Text(Protocol):
    """Texts to states.

    Args:
        tokens: how many tokens fit, begin and end included.
        width: of a token's state.
    """

    @property
    def tokens(self) -> int: ...

    @property
    def width(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Context:
        """See `LatentModel.embed`."""
        ...


@runtime_checkable
class Denoiser(Protocol):
    """Latent, timestep and text to whatever the network was trained to answer.

    Args:
        module: the network; its forward call is what a tap listens to.
        projections: the cross-attention layers over the text, in call order.
        sides: height and width of the latent that it was trained on.
        channels: of the latent.
    """

    @property
    def module(self) -> torch.nn.Module: ...

    @property
    def projections(self) -> tuple[Projection, ...]: ...

    @property
    def sides(self) -> tuple[int, int]: ...

    @property
    def channels(self) -> int: ...

    def answer(
        self, latent: Float[Tensor, "case channel row column"], timestep: Int[Tensor, " case"], context: Context
    ) -> Float[Tensor, "case channel row column"]:
        """The network's answer, in its own precision."""
        ...

    def read_call(self, arguments: Arguments, keywords: Keywords) -> Call:
        """Timesteps, text mask and size of a running call of `module`."""
        ...

    def bias(self, context: Context) -> Float[Tensor, "case token"] | None:
        """What is added to the logits of a text's tokens; None where the network looks at every token."""
        ...

    def text_states(self, context: Context) -> Float[Tensor, "case token dim"]:
        """The text as the layers' `to_k` receive it."""
        ...
