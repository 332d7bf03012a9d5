"""The information map and its kin: where, and how, the phrase changes the predicted noise."""

from __future__ import annotations

import scipy.ndimage
import torch
from jaxtyping import Float
from torch import Tensor

from deixis.maps.gathering import Gathering, Scope
from deixis.maps.reading import Question, Reader, Reply

# σ in latent cells of the smoothing of the information map (our pilot, method page section 4).
SMOOTHING = 0.7
# σ in cells and share of the cells for the strength of a likelihood; chosen on 30 validation phantoms among eight ways.
STRENGTH_SMOOTHING, STRENGTH_SHARE = 1.0, 0.05


class Information(Gathering):
    """How much the phrase changes the predicted noise, on the latent's grid.

    i(x) = Σ_level w Σ_channel (ε_c - ε_u)², ε_c and ε_u predicted with the phrase and with "" (after
    Info-Decomp, Kong et al., ICLR 2024, without its factor ½; levels count evenly unless the scope says otherwise),
    smoothed by σ = 0.7 cells.
    """

    predicts = True

    def __init__(self, reader: Reader, question: Question, scope: Scope) -> None:
        self._reader, self._levels, self._empty = reader, scope.levels, reader.empty_noise
        self._total = self._empty.new_zeros(len(question), *self._empty.shape[-2:])

    def take(self, reply: Reply) -> None:
        change = self._change(reply).square().sum(dim=1)
        self._total.index_add_(0, reply.phrases, change * self._levels[reply.steps][:, None, None])

    def maps(self) -> Float[Tensor, "phrase row column"]:
        return smoothed(self._total, SMOOTHING)

    def _change(self, reply: Reply) -> Float[Tensor, "case channel row column"]:
        """ε_c - ε_u."""
        if reply.noise is None:
            raise ValueError("the information map needs predicted noise, and this pass ended before it")
        return reply.noise - self._empty[reply.images, reply.steps]


class Likelihood(Information):
    """How much better the noise is explained with the phrase than without, on the latent's grid.

    Σ_level w Σ_channel (ε - ε_u)² - (ε - ε_c)², with ε the noise that was added: where it is positive, the phrase
    makes the image likelier there. The signed form of the information map (Info-Decomp), a log-likelihood ratio up to
    a factor; what falls below 0 is 0. Not smoothed: its cells are independent.
    """

    def take(self, reply: Reply) -> None:
        change = self._change(reply)
        missing = self._reader.added_noise[reply.images, reply.steps] - self._empty[reply.images, reply.steps]
        gain = (2 * missing * change - change.square()).sum(dim=1)
        self._total.index_add_(0, reply.phrases, gain * self._levels[reply.steps][:, None, None])

    def maps(self) -> Float[Tensor, "phrase row column"]:
        return self.signed().clamp(min=0)

    def signed(self) -> Float[Tensor, "phrase row column"]:
        """The ratio itself, negative where the phrase explains the image worse."""
        return self._total

    def strength(self) -> Float[Tensor, " phrase"]:
        """Mean of the ratio, smoothed by one cell, over the twentieth of the cells where it is highest.

        A diffusion classifier (Li et al., ICCV 2023; Clark and Jaini, NeurIPS 2023) takes the mean over all cells; a
        finding that covers a hundredth of the image hardly moves that.
        """
        cells = smoothed(self._total, STRENGTH_SMOOTHING).flatten(1)
        return cells.topk(max(1, round(STRENGTH_SHARE * cells.shape[1])), dim=1).values.mean(dim=1)


class Projection(Information):
    """How far what the image lacks without the phrase goes the way that the phrase leads, on the latent's grid.

    Σ_level w Σ_channel (ε - ε_u)·(ε_c - ε_u): the first-order term of `Likelihood`, which a phrase that overshoots
    does not turn negative. What falls below 0 is 0.
    """

    def take(self, reply: Reply) -> None:
        missing = self._reader.added_noise[reply.images, reply.steps] - self._empty[reply.images, reply.steps]
        along = (missing * self._change(reply)).sum(dim=1)
        self._total.index_add_(0, reply.phrases, along * self._levels[reply.steps][:, None, None])

    def maps(self) -> Float[Tensor, "phrase row column"]:
        return self._total.clamp(min=0)


def smoothed(maps: Float[Tensor, "phrase row column"], sigma: float) -> Float[Tensor, "phrase row column"]:
    """Each map under a Gaussian of σ cells, its border mirrored."""
    blurred = scipy.ndimage.gaussian_filter(maps.cpu().numpy(), sigma=(0, sigma, sigma), mode="reflect")
    return torch.from_numpy(blurred).to(maps)


def standardised(maps: Float[Tensor, "*map row column"]) -> Float[Tensor, "*map row column"]:
    """Each map with mean 0 and standard deviation 1 over its pixels; a constant map becomes 0."""
    centred = maps - maps.mean(dim=(-2, -1), keepdim=True)
    spread = centred.square().mean(dim=(-2, -1), keepdim=True).sqrt()
    flat = spread <= torch.finfo(maps.dtype).eps * maps.abs().amax(dim=(-2, -1), keepdim=True)
    return torch.where(flat, 0, centred / torch.where(flat, 1, spread))
