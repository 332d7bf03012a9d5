"""The frozen values that cross from one room to another, and the protocols that rooms meet.

Coordinates are native pixels of the file, origin top-left, half-open: a box covers ``x0 <= x < x1``. Numpy only at
import; torch appears in annotations of the protocols and of the values that live on a device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Float32, Float64, Int

from deixis.errors import CaseError, ImageError, PhraseError
from deixis.notebook import VIEWS

if TYPE_CHECKING:
    from torch import Tensor, device

Laterality = Literal["left", "right", "bilateral"]
Projection = Literal["frontal", "lateral"]
AttentionKind = Literal["self", "cross"]
PredictionKind = Literal["epsilon", "v_prediction", "sample"]


# ---- what comes in ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Image:
    """A grey image ready to be read: bright means dense (MONOCHROME1 already turned).

    Args:
        pixels: float32 ``[y x]`` in [0, 1], at native resolution.
        spacing: row and column spacing in millimetres, or None where the file does not say. From a detector plane
            (ImagerPixelSpacing) it is magnified.
        source: the file it came from, or None.
        notices: what a reader had to do that a user should know ("colour converted to grey").
        view: from where it was taken, where the file says.
        laterality: which side of a paired part of the body it shows, where the file says.
    """

    pixels: Float32[np.ndarray, "y x"]
    spacing: tuple[float, float] | None = None
    source: Path | None = None
    notices: tuple[str, ...] = ()
    view: Projection | None = None
    laterality: Laterality | None = None

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if self.pixels.ndim != 2 or 0 in shape:
            raise ImageError(f"An image is a non-empty [y x] array; got shape {shape}. Give one grey plane.")
        if not np.isfinite(self.pixels).all():
            raise ImageError("The image holds NaN or infinite pixels. Replace them before grounding.")
        low, high = float(self.pixels.min()), float(self.pixels.max())
        if low < 0 or high > 1:
            raise ImageError(f"Pixels must lie in [0, 1]; got {low:.3g} to {high:.3g}. Scale them first.")

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in native pixels."""
        height, width = self.pixels.shape
        return height, width


@dataclass(frozen=True)
class Phrase:
    """What is sought: a text, and which part of it counts.

    Args:
        text: the words given to the text encoder.
        span: characters ``[start, end)`` whose tokens are read; None means all of them.
        category: finding class, where known.
        laterality: the patient's side that the text names, where known.
    """

    text: str
    span: tuple[int, int] | None = None
    category: str | None = None
    laterality: Laterality | None = None

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise PhraseError('The phrase is empty. Say what to look for, e.g. "right pleural effusion".')
        if self.span is not None:
            start, end = self.span
            if not 0 <= start < end <= len(self.text):
                raise PhraseError(f"Span {self.span} does not lie inside the phrase of {len(self.text)} characters.")


@dataclass(frozen=True)
class Box:
    """A rectangle in native pixels, half-open, with a score in [0, 1]."""

    x0: float
    y0: float
    x1: float
    y1: float
    score: float = 1.0

    def __post_init__(self) -> None:
        if not (self.x0 < self.x1 and self.y0 < self.y1):
            raise CaseError(f"A box needs x0 < x1 and y0 < y1; got {self.x0, self.y0, self.x1, self.y1}.")

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)


@dataclass(frozen=True)
class Case:
    """One question with its truth: an image, a phrase, and where the phrase is.

    Args:
        id: unique within its dataset.
        image: a path, or the image itself.
        phrase: what is asked.
        category: finding class.
        boxes: truth, native pixels.
        shape: height and width of the image in pixels, against which boxes are checked.
        mask: truth at pixel level ``[y x]``, where the dataset has it.
        split: "train", "val", "test" or None.
        patient: groups cases for the bootstrap; None means one patient per image.
        names_place: whether the phrase names a side or a zone; None where unknown.
        rows: identifiers of the source rows.
    """

    id: str
    image: Path | Image
    phrase: Phrase
    category: str
    boxes: tuple[Box, ...]
    shape: tuple[int, int]
    mask: Bool[np.ndarray, "y x"] | None = None
    split: str | None = None
    patient: str | None = None
    names_place: bool | None = None
    rows: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        height, width = self.shape
        for box in self.boxes:
            if box.x0 < 0 or box.y0 < 0 or box.x1 > width or box.y1 > height:
                raise CaseError(f"Case {self.id}: box {box} leaves its image of {width}×{height} pixels.")
        if self.mask is not None and self.mask.shape != self.shape:
            raise CaseError(f"Case {self.id}: mask {self.mask.shape} is not of the image's shape {self.shape}.")


# ---- what goes out ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class HeatMap:
    """How strongly each native pixel answers the phrase.

    Args:
        values: float32 ``[y x]``, finite, >= 0 after a recipe; 0 where not seen.
        seen: bool ``[y x]``: False where the model never looked (the cropped margin).
    """

    values: Float32[np.ndarray, "y x"]
    seen: Bool[np.ndarray, "y x"]

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape != self.seen.shape:
            raise ValueError(f"heat {self.values.shape} and seen {self.seen.shape} must be one [y x] frame")
        if not np.isfinite(self.values).all():
            raise ValueError("a heat map must be finite; use `seen` for what was not looked at")


@dataclass(frozen=True)
class Provenance:
    """How an answer came about: enough to make it again.

    `unet_evaluations` counts the network evaluations spent for this phrase, the ones shared by all phrases of the
    image (the walk, the "" reads) counted with the first phrase that needed them.
    """

    model: str
    weights_sha256: str
    recipe: str
    seed: int
    versions: Mapping[str, str]
    seconds: float
    unet_evaluations: int
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grounding:
    """The answer for one phrase in one image: heat, mask and boxes in one frame, the file's native pixels.

    Args:
        image: what was asked about.
        phrase: what was asked.
        heat: smoothed and in [0, 1], not yet cut; `thresholded` is the published answer.
        mask: where the heat exceeds the recipe's threshold; nowhere, if the phrase changed nothing.
        boxes: around the mask's components, best first.
        provenance: how the answer came about.
        stability: IoU in [0, 1] of the masks from each half of the noise levels, as a measure of uncertainty; None
            where the recipe does not ask for it. It says how far the draws agree, not whether the finding is there.
        agreement: the same between the masks that each kind of evidence gives by itself, another measure of
            uncertainty; None where the recipe reads only one.
        presence: experimental score in [0, 1] of the finding being there at all, from how much better the phrase
            explains the image than no words do; None where the recipe is not calibrated for the model.
    """

    image: Image
    phrase: Phrase
    heat: HeatMap
    mask: Bool[np.ndarray, "y x"]
    boxes: tuple[Box, ...]
    provenance: Provenance
    stability: float | None = None
    agreement: float | None = None
    presence: float | None = None

    @property
    def thresholded(self) -> HeatMap:
        """The heat inside the mask, 0 elsewhere: heat × (heat > threshold), which arXiv 2404.12920 scores."""
        return HeatMap(np.where(self.mask, self.heat.values, np.float32(0)), self.heat.seen)

    def _repr_html_(self) -> str:
        """What a notebook shows: image, heat under a slider, boxes."""
        return str(VIEWS["grounding.html"](self))

    def _repr_png_(self) -> bytes:
        """The same as a picture, where HTML is not shown."""
        return bytes(VIEWS["grounding.png"](self))

    def __post_init__(self) -> None:
        if not self.image.shape == self.heat.values.shape == self.mask.shape:
            raise ValueError(
                f"image {self.image.shape}, heat {self.heat.values.shape} and mask {self.mask.shape} differ"
            )


# ---- the frozen model ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Site:
    """One attention layer of the denoiser, in call order.

    Args:
        name: dotted module path inside the denoiser.
        index: position among the cross-attention sites in call order, counted from 0.
        kind: self or cross.
        grid: height and width of its query positions, for the model's native image size.
        heads: number of heads.
        scale: what q·k is multiplied with before the softmax.
        stage: the block of the denoiser that it stands in; sites of one stage share it.
    """

    name: str
    index: int
    kind: AttentionKind
    grid: tuple[int, int]
    heads: int
    scale: float
    stage: str = ""


@dataclass(frozen=True)
class Schedule:
    """The noise schedule of a model as plain data.

    Args:
        alphas_bar: cumulative ᾱ_t for t = 0 … T-1, strictly decreasing, float64.
        first_alpha: what ᾱ is taken to be beyond the noisiest timestep, where a walk steps over its end.
    """

    alphas_bar: Float64[np.ndarray, " timestep"]
    first_alpha: float = 0.0

    def log_snr(self, timesteps: Int[np.ndarray, " step"]) -> Float64[np.ndarray, " step"]:
        """log(ᾱ / (1 - ᾱ)) at the given timesteps; large where clean, negative where noisy."""
        alphas = self.alphas_bar[timesteps]
        return np.asarray(np.log(alphas) - np.log1p(-alphas))


@dataclass(frozen=True)
class ModelSpec:
    """What a model is, known once it is loaded.

    Args:
        name: catalog name, or the folder's name.
        family: row of the models table that loaded it.
        image_size: side of the model's square in pixels.
        latent_channels: channels of the latent.
        latent_scale: factor between the autoencoder's posterior mean and the latent that is diffused.
        downsampling: pixels per latent cell along a side.
        prediction: what the denoiser answers.
        tokens: how many tokens fit, begin and end included.
        sites: the cross-attention sites in call order.
        licence: SPDX identifier or a sentence.
        weights_sha256: hash over all weight files.
        notice: a sentence every output must carry, or "".
    """

    name: str
    family: str
    image_size: int
    latent_channels: int
    latent_scale: float
    downsampling: int
    prediction: PredictionKind
    tokens: int
    sites: tuple[Site, ...]
    licence: str
    weights_sha256: str
    notice: str = ""


@dataclass(frozen=True)
class Context:
    """Texts as the denoiser takes them.

    Args:
        texts: the phrases, one per case.
        states: text states ``[case token dim]``.
        mask: bool ``[case token]``: False where the model must not look; None where the model looks at every token.
        spans: per case and token the characters ``[start, end)`` it came from; begin, end and padding have (0, 0).
        ends: per case the position of the end token, after which there is only padding.
        extra: further conditioning by name (pooled text, sizes), each ``[case ...]``.
    """

    texts: tuple[str, ...]
    states: Float[Tensor, "case token dim"]
    mask: Bool[Tensor, "case token"] | None
    spans: tuple[tuple[tuple[int, int], ...], ...]
    ends: tuple[int, ...]
    extra: Mapping[str, Tensor] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def nbytes(self) -> int:
        """Bytes of the tensors."""
        tensors = (self.states, *self.extra.values(), *(() if self.mask is None else (self.mask,)))
        return sum(tensor.nbytes for tensor in tensors)

    def take(self, rows: Sequence[int]) -> Context:
        """The given cases, in the given order; rows may repeat."""
        index = list(rows)
        return replace(
            self,
            texts=tuple(self.texts[i] for i in index),
            states=self.states[index],
            mask=None if self.mask is None else self.mask[index],
            spans=tuple(self.spans[i] for i in index),
            ends=tuple(self.ends[i] for i in index),
            extra={name: value[index] for name, value in self.extra.items()},
        )


@dataclass(frozen=True)
class LatentTrajectory:
    """The latents of one image at the noise levels that are read.

    Args:
        timesteps: from clean to noisy; an inversion's are strictly increasing, independent noisings may share one.
        latents: ``[step channel row column]``, each as it enters the denoiser at its timestep.
        clean: the latent from which the walk went out.
        key: hash of image, weights and walk: equal keys hold equal latents.
    """

    timesteps: Int[np.ndarray, " step"]
    latents: Float[Tensor, "step channel row column"]
    clean: Float[Tensor, "1 channel row column"]
    key: str

    def __post_init__(self) -> None:
        if len(self.timesteps) != len(self.latents) or len(self.timesteps) == 0:
            raise ValueError(
                f"{len(self.timesteps)} timesteps and {len(self.latents)} latents; both need the same >= 1"
            )
        if (np.diff(self.timesteps) < 0).any():
            raise ValueError(f"timesteps must run from clean to noisy, got {self.timesteps.tolist()}")

    def __len__(self) -> int:
        return len(self.timesteps)

    def on(self, place: device) -> LatentTrajectory:
        """The same with its latents on a device."""
        return replace(self, latents=self.latents.to(place), clean=self.clean.to(place))


@dataclass(frozen=True)
class KeysValues:
    """What a text offers to the queries of one cross-attention site.

    Args:
        k: keys, as a tap receives them.
        v: values as they leave the site: what a token adds to a pixel that looks at nothing else, head by head, under
            the layer's output projection. The site's answer is Σ_head Σ_token A·v, and a constant.
        bias: of the text mask, added to q·k·scale; None where the site looks at every token.
    """

    k: Float[Tensor, "case head token dim"]
    v: Float[Tensor, "case head token channel"]
    bias: Float[Tensor, "case token"] | None


@runtime_checkable
class AttentionTap(Protocol):
    """Listens to cross-attention while the model runs, and reduces what it hears at once."""

    def receive(
        self,
        site: Site,
        timestep: Int[Tensor, " case"],
        q: Float[Tensor, "case head pixel dim"],
        k: Float[Tensor, "case head token dim"],
        bias: Float[Tensor, "case token"] | None,
    ) -> None:
        """Take one site's queries and keys; softmax(q·k·scale + bias) over tokens are the model's probabilities."""
        ...


@runtime_checkable
class LatentModel(Protocol):
    """A frozen latent diffusion model, seen through five verbs."""

    @property
    def spec(self) -> ModelSpec:
        """What it is."""
        ...

    @property
    def schedule(self) -> Schedule:
        """ᾱ of every timestep."""
        ...

    def encode(self, pixels: Float[Tensor, "case 1 y x"]) -> Float[Tensor, "case channel row column"]:
        """Pixels in [0, 1] → latent: the posterior mean times the latent scale."""
        ...

    def embed(self, phrases: Sequence[str]) -> Context:
        """Texts → context; a text with too many tokens raises `PhraseError` that says how many fit. "" is allowed."""
        ...

    def noise(
        self,
        latent: Float[Tensor, "case channel row column"],
        timestep: Int[Tensor, " case"],
        context: Context,
    ) -> Float[Tensor, "case channel row column"]:
        """Predicted noise ε, whatever the network itself predicts; one timestep and one text per case."""
        ...

    def keys(self, context: Context, sites: Sequence[Site]) -> tuple[KeysValues, ...]:
        """What a text offers to each site's queries, without evaluating the denoiser."""
        ...

    def tapped(
        self, sites: Sequence[Site], tap: AttentionTap, *, stop_after_last: bool = False
    ) -> AbstractContextManager[None]:
        """While the block runs, `tap` receives the given sites' q and k.

        The model is as found afterwards, also after an exception. With `stop_after_last` the block itself ends as
        soon as the last site was received, so it holds one call of `noise`, whose value is never formed. A block in
        which a site stayed silent raises `ModelError`.
        """
        ...
