"""The pure steps of DDIM (Song et al., ICLR 2021): noise levels go in as data, so direction is data too."""

from __future__ import annotations

from math import sqrt

from jaxtyping import Float
from torch import Tensor


def clean(
    latent: Float[Tensor, "case channel row column"], noise: Float[Tensor, "case channel row column"], alpha: float
) -> Float[Tensor, "case channel row column"]:
    """x̂₀ = (z - √(1-ᾱ)·ε) / √ᾱ, the clean latent that `noise` implies (DDIM eq. 9)."""
    return (latent - sqrt(1 - alpha) * noise) / sqrt(alpha)


def noised(
    latent: Float[Tensor, "case channel row column"], noise: Float[Tensor, "case channel row column"], alpha: float
) -> Float[Tensor, "case channel row column"]:
    """z = √ᾱ·x₀ + √(1-ᾱ)·ε (DDIM eq. 4)."""
    return sqrt(alpha) * latent + sqrt(1 - alpha) * noise


def velocity(
    noise: Float[Tensor, "case channel row column"], latent: Float[Tensor, "case channel row column"], alpha: float
) -> Float[Tensor, "case channel row column"]:
    """v = √ᾱ·ε - √(1-ᾱ)·x̂₀ = (ε - √(1-ᾱ)·z) / √ᾱ (Salimans & Ho, ICLR 2022, appendix D)."""
    return (noise - sqrt(1 - alpha) * latent) / sqrt(alpha)


def velocity_noise(
    velocity: Float[Tensor, "case channel row column"], latent: Float[Tensor, "case channel row column"], alpha: float
) -> Float[Tensor, "case channel row column"]:
    """ε = √ᾱ·v + √(1-ᾱ)·z, the inverse of `velocity`."""
    return sqrt(alpha) * velocity + sqrt(1 - alpha) * latent


def step(
    latent: Float[Tensor, "case channel row column"],
    noise: Float[Tensor, "case channel row column"],
    alpha_from: float,
    alpha_to: float,
) -> Float[Tensor, "case channel row column"]:
    """The deterministic step (DDIM eq. 12, σ = 0) from noise level ᾱ = `alpha_from` to `alpha_to`.

    Towards noise it inverts, towards the clean side it generates.
    """
    return noised(clean(latent, noise, alpha_from), noise, alpha_to)
