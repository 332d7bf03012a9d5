"""MONAI's latent diffusion bundles, among them the chest X-ray model of arXiv 2404.12920.

Needs the extra `monai`. The text encoder is no part of such a bundle: it lies in its `text_encoder` and `tokenizer`
folders, or is given to `deixis.load`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from deixis.errors import ModelError
from deixis.models.catalog import Label
from deixis.models.composed import ComposedModel, Parts
from deixis.models.discovery import Layer, discover
from deixis.models.family import Placing
from deixis.models.listening import Arguments, Call, Keywords
from deixis.models.monai_files import (
    Bundle,
    is_bundle,
    load_autoencoder,
    load_denoiser,
    prediction_of,
    read_bundle,
    schedule_of,
)
from deixis.models.text_encoders import check_width, load_text, text_folders
from deixis.models.weights import fingerprint
from deixis.types import Context, LatentModel

if TYPE_CHECKING:
    from monai.networks.nets.autoencoderkl import AutoencoderKL
    from monai.networks.nets.diffusion_model_unet import DiffusionModelUNet


EXPECTED = "The published chest X-ray model takes the text encoder of Stable Diffusion 2.1: width 1024, 77 tokens."


class MonaiFamily:
    """Recognises and loads such a bundle."""

    def recognises(self, place: Path) -> bool:
        """Whether the bundle's configuration names an autoencoder and a denoiser."""
        return is_bundle(place)

    def load(self, place: Path, label: Label, placing: Placing) -> LatentModel:
        """The model with its text encoder; see `Family.load`."""
        for given, option in ((placing.vae, "autoencoder"), (placing.adapters, "LoRA")):
            if given:
                raise ModelError(f"{place} is a MONAI bundle; it takes no other {option}.")
        bundle = read_bundle(place)
        try:
            vae, unet = load_autoencoder(bundle, placing.dtype), load_denoiser(bundle, placing.dtype)
        except ImportError as error:
            raise ModelError(f"{place} is a MONAI bundle: pip install 'deixis[monai]' to read it. ({error})") from error
        folders = text_folders(placing.text_encoder or place)
        text = load_text(folders, label, placing)
        check_width(text, bundle.text_width, place, EXPECTED)
        parts = Parts(
            autoencoder=MonaiAutoencoder(placing.frozen(vae), bundle.scale),
            text=text,
            denoiser=MonaiUNet(placing.frozen(unet), bundle, text.tokens),
            schedule=schedule_of(bundle),
            prediction=prediction_of(bundle),
        )
        apart = [] if placing.text_encoder is None else [folders.network]
        return ComposedModel("monai-ldm", label, parts, fingerprint(place, *apart))


FAMILY = MonaiFamily()


class MonaiAutoencoder:
    """Pixels in [0, 1], as these models take them, → posterior mean times the bundle's factor."""

    def __init__(self, network: AutoencoderKL, scale: float) -> None:
        self._network, self.scale = network, scale
        self._parameter = next(network.parameters())
        self.downsampling = 2 ** (len(network.encoder.channels) - 1)

    def encode(self, pixels: Float[Tensor, "case 1 y x"]) -> Float[Tensor, "case channel row column"]:
        """Pixels in [0, 1] → float32 latent on the model's device."""
        shown = pixels.to(self._parameter.device, self._parameter.dtype)
        mean: Tensor = self._network.encode(shown)[0].float()
        return mean * self.scale


class MonaiUNet:
    """A `Denoiser` over MONAI's UNet, which looks at every token: it takes no text mask."""

    def __init__(self, network: DiffusionModelUNet, bundle: Bundle, tokens: int) -> None:
        self.module = network
        self._parameter = next(network.parameters())
        self.channels = int(bundle.networks["DiffusionModelUNet"]["in_channels"])
        self.sides = bundle.sides
        self.projections = self._discovered(tokens, bundle.text_width)

    def _discovered(self, tokens: int, width: int) -> Any:
        from monai.networks.blocks.crossattention import CrossAttentionBlock
        from monai.networks.nets.diffusion_model_unet import SpatialTransformer

        modules = dict(self.module.named_modules())
        layers = [
            Layer(name, block.to_q, block.to_k, block.to_v, block.out_proj, block.num_heads, block.scale)
            for name, block in modules.items()
            if isinstance(block, CrossAttentionBlock)
        ]
        kind: dict[str, Any] = {"device": self._parameter.device, "dtype": self._parameter.dtype}
        latent = torch.zeros(1, self.channels, *self.sides, **kind)
        states = torch.zeros(1, tokens, width, **kind)
        timestep = torch.zeros(1, dtype=torch.long, device=self._parameter.device)
        planes = [module for module in modules.values() if isinstance(module, SpatialTransformer)]
        return discover(lambda: self.module(latent, timestep, states), planes, layers)

    def answer(
        self, latent: Float[Tensor, "case channel row column"], timestep: Int[Tensor, " case"], context: Context
    ) -> Float[Tensor, "case channel row column"]:
        """The network's answer, in its own precision."""
        if context.mask is not None:
            raise ModelError("MONAI's UNet looks at every token; it cannot take a text mask.")
        answer: Tensor = self.module(latent.to(self._parameter.dtype), timestep, self.text_states(context))
        return answer

    def read_call(self, arguments: Arguments, keywords: Keywords) -> Call:
        """Timesteps and size of a running call."""
        height, width = arguments[0].shape[-2:]
        return Call(arguments[1], None, (height, width))

    def bias(self, context: Context) -> None:
        """See `Denoiser.bias`: this network looks at every token."""

    def text_states(self, context: Context) -> Float[Tensor, "case token dim"]:
        """The states themselves, in the network's precision."""
        return context.states.to(self._parameter.dtype)
