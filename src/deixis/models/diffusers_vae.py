"""The autoencoder part of every diffusers family: `AutoencoderKL`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jaxtyping import Float
from torch import Tensor

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL


class DiffusersVAE:
    """Pixels → posterior mean times the scaling factor of the configuration; grey is repeated for colour networks."""

    def __init__(self, vae: AutoencoderKL) -> None:
        self._vae = vae
        self.scale = float(vae.config["scaling_factor"])
        self.downsampling = 2 ** (len(vae.config["block_out_channels"]) - 1)

    def encode(self, pixels: Float[Tensor, "case 1 y x"]) -> Float[Tensor, "case channel row column"]:
        """Pixels in [0, 1] → float32 latent on the model's device."""
        vae = self._vae
        shown = (2 * pixels - 1).to(vae.device, vae.dtype).expand(-1, vae.config["in_channels"], -1, -1)
        mean: Tensor = vae.encode(shown).latent_dist.mode().float()
        return (mean - (vae.config["shift_factor"] or 0.0)) * self.scale
