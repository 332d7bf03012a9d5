"""The whole plan of a training as one value."""

from __future__ import annotations

from dataclasses import dataclass, field

from deixis.training.autoencoder import AutoencoderPlan
from deixis.training.ldm import DenoiserPlan
from deixis.training.text_encoder import TextEncoderPlan


@dataclass(frozen=True)
class TrainingPlan:
    """Everything that makes a small latent diffusion model of phantoms; the same plan gives the same model.

    Args:
        images: how many phantoms are drawn.
        first_seed: seed of the first one.
        size: side of an image in pixels, a multiple of 32.
        tokens: how many tokens a text may have, begin and end included.
        start: a trained model to go on from, its text encoder kept as it is; empty for random weights.
        text: the text encoder.
        autoencoder: the first stage.
        denoiser: the second stage.
    """

    images: int = 10_000
    first_seed: int = 0
    size: int = 256
    tokens: int = 48
    start: str = ""
    text: TextEncoderPlan = field(default_factory=TextEncoderPlan)
    autoencoder: AutoencoderPlan = field(default_factory=AutoencoderPlan)
    denoiser: DenoiserPlan = field(default_factory=DenoiserPlan)
