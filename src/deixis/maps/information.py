"""The information map: where the phrase changes the predicted noise."""

from __future__ import annotations

import numpy as np
import scipy.ndimage
import torch
from jaxtyping import Float
from torch import Tensor

from deixis.maps.reading import Question, Reader
from deixis.maps.taps import AttentionSums

# σ in latent cells of the smoothing of the information map (our pilot, method page section 4).
SMOOTHING = 0.7


def information(reader: Reader, question: Question) -> Float[Tensor, "phrase row column"]:
    """How much the phrase changes the predicted noise, on the latent's grid.

    Mean over noisings of Σ_channel (ε_c - ε_u)², ε_c and ε_u predicted with the phrase and with "" (after
    Info-Decomp, Kong et al., ICLR 2024, with even weights), smoothed by σ = 0.7 cells.
    """
    return measure(reader, question, None)


def measure(reader: Reader, question: Question, tap: AttentionSums | None) -> Float[Tensor, "phrase row column"]:
    """`information`, while `tap` listens to the attention of the same evaluations."""
    empty = reader.empty_noise
    total = empty.new_zeros(len(question), *empty.shape[-2:])
    for read in reader.predict(question, tap):
        change = (read.noise - empty[read.images, read.steps]).square().sum(dim=1)
        total.index_add_(0, torch.tensor(read.phrases, device=total.device), change)
    return smoothed(total / reader.steps, SMOOTHING)


def smoothed(maps: Float[Tensor, "phrase row column"], sigma: float) -> Float[Tensor, "phrase row column"]:
    """Each map under a Gaussian of σ cells, its border mirrored."""
    blurred = scipy.ndimage.gaussian_filter(maps.cpu().numpy(), sigma=(0, sigma, sigma), mode="reflect")
    return torch.from_numpy(np.asarray(blurred)).to(maps)


def standardised(maps: Float[Tensor, "*map row column"]) -> Float[Tensor, "*map row column"]:
    """Each map with mean 0 and standard deviation 1 over its pixels; a constant map becomes 0."""
    centred = maps - maps.mean(dim=(-2, -1), keepdim=True)
    spread = centred.square().mean(dim=(-2, -1), keepdim=True).sqrt()
    flat = spread <= torch.finfo(maps.dtype).eps * maps.abs().amax(dim=(-2, -1), keepdim=True)
    return torch.where(flat, 0, centred / torch.where(flat, 1, spread))
