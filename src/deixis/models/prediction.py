"""From what a denoiser answers to the noise ε."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from deixis.types import PredictionKind

Latent = Float[Tensor, "case channel row column"]


def to_noise(kind: PredictionKind, answer: Latent, latent: Latent, alpha: Float[Tensor, " case"]) -> Latent:
    """ε from the network's `answer` on `latent` at noise level ᾱ (v: Salimans & Ho, ICLR 2022, appendix D).

    v = √ᾱ·ε - √(1-ᾱ)·x₀, so ε = √ᾱ·v + √(1-ᾱ)·z; from x₀ it is (z - √ᾱ·x₀)/√(1-ᾱ).
    """
    if kind == "epsilon":
        return answer
    signal, spread = alpha.sqrt()[:, None, None, None], (1 - alpha).sqrt()[:, None, None, None]
    if kind == "v_prediction":
        return signal * answer + spread * latent
    return (latent - signal * answer) / spread
