"""What the service answers with, beside the document of ``deixis ground --json``."""

from __future__ import annotations

from dataclasses import dataclass

from deixis.types import ModelSpec
from deixis.web.jobs import Held, Job, State
from deixis.web.problems import ProblemEntry
from deixis.writers.json import Document, GroundingEntry, image_entry


@dataclass(frozen=True)
class ImageHeld:
    """An image that the service holds for a while.

    Args:
        image: its name, for `image_id` of a job.
        shape: height and width in native pixels.
        spacing: row and column spacing in millimetres, or null.
        notices: what reading it had to do.
        formats: of files that can be written about it, for `/v1/files/{format}`.
        lifetime: seconds without a question after which it is forgotten.
    """

    image: str
    shape: tuple[int, int]
    spacing: tuple[float, float] | None
    notices: tuple[str, ...]
    formats: tuple[str, ...]
    lifetime: float


@dataclass(frozen=True)
class JobEntry:
    """How far a job is.

    Args:
        job: its name.
        image: the name of its image, for further phrases.
        state: waiting, running, done, failed, cancelled or expired.
        recipe: how the image is read.
        phrases: how many were asked.
        answered: how many are answered.
        ahead: jobs that come first; 0 once it runs.
        evaluations: of the denoiser so far.
        document: what was found so far, as `deixis ground --json` tells it; null before the first phrase.
        problem: why it ended without all of its answers, or null.
    """

    job: str
    image: str
    state: State
    recipe: str
    phrases: int
    answered: int
    ahead: int
    evaluations: int
    document: Document | None
    problem: ProblemEntry | None


@dataclass(frozen=True)
class PhraseEvent:
    """A phrase is answered.

    Args:
        index: which, counted from 0; its map is at `/v1/jobs/{job}/maps/{index}`.
        grounding: the answer.
    """

    index: int
    grounding: GroundingEntry


@dataclass(frozen=True)
class ModelEntry:
    """The model that the service serves.

    Args:
        name: what it is called.
        family: its kind.
        image_size: side of its square in pixels.
        tokens: how many tokens of a phrase fit, begin and end included.
        licence: of its weights.
        weights_sha256: hash over all weight files.
        notice: what every answer must carry, or "".
    """

    name: str
    family: str
    image_size: int
    tokens: int
    licence: str
    weights_sha256: str
    notice: str


@dataclass(frozen=True)
class ModelsEntry:
    """The models: one, or none while it is loaded."""

    models: tuple[ModelEntry, ...]


@dataclass(frozen=True)
class RecipeEntry:
    """A way of reading.

    Args:
        name: for `recipe` of a job.
        summary: what it does.
        default: whether it is taken where none is named.
    """

    name: str
    summary: str
    default: bool


@dataclass(frozen=True)
class RecipesEntry:
    """All recipes."""

    recipes: tuple[RecipeEntry, ...]


@dataclass(frozen=True)
class ExampleEntry:
    """A synthetic image to begin with, and what can be seen in it."""

    name: str
    phrases: tuple[str, ...]


@dataclass(frozen=True)
class OffersEntry:
    """What else can be asked for.

    Args:
        formats: of files, for `/v1/files/{format}`.
        examples: images to begin with.
        upload_bytes: the largest request.
        pixels: the largest image.
        phrases: most phrases of a job.
        lifetime: seconds without a question after which an image is forgotten.
    """

    formats: tuple[str, ...]
    examples: tuple[ExampleEntry, ...]
    upload_bytes: int
    pixels: int
    phrases: int
    lifetime: float


@dataclass(frozen=True)
class StateEntry:
    """Whether the service lives, or is ready: "ok"."""

    status: str


def image_held(held: Held, formats: tuple[str, ...], lifetime: float) -> ImageHeld:
    """The entry of an image."""
    image = held.image
    return ImageHeld(held.id, image.shape, image.spacing, image.notices, formats, lifetime)


def job_entry(job: Job, ahead: int) -> JobEntry:
    """The entry of a job."""
    return JobEntry(
        job=job.id,
        image=job.held.id,
        state=job.state,
        recipe=job.order.recipe.name,
        phrases=len(job.order.phrases),
        answered=len(job.groundings),
        ahead=ahead,
        evaluations=job.evaluations,
        document=Document((image_entry(job.groundings),)) if job.groundings else None,
        problem=None if job.problem is None else job.problem.entry,
    )


def model_entry(spec: ModelSpec) -> ModelEntry:
    """The entry of a model."""
    return ModelEntry(
        spec.name, spec.family, spec.image_size, spec.tokens, spec.licence, spec.weights_sha256, spec.notice
    )
