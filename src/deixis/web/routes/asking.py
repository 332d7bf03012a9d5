"""What requests bring along: the service, an image, phrases, a recipe; checked, and made what the house knows."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, File, Form, Path, Request, UploadFile

from deixis.errors import UnknownNameError
from deixis.recipes import RECIPES
from deixis.types import Phrase
from deixis.web.guard import arrived
from deixis.web.jobs import Held, Job, Order
from deixis.web.problems import Problem
from deixis.web.service import Service

ONE = "Give either an `image` file, or the `image_id` of one that was sent before."
NAME = r"^[\w-]{1,64}$"
SEEDS = 2**31 - 1

# Pydantic says contentMediaType of a file, as JSON Schema has it; many readers of descriptions know only the format.
ImageFile = Annotated[
    UploadFile | None, File(description="A PNG, JPEG, TIFF or DICOM file.", json_schema_extra={"format": "binary"})
]
ImageId = Annotated[str | None, Form(pattern=NAME, description="An image that was sent before, by its name.")]
Phrases = Annotated[
    list[str], Form(alias="phrase", min_length=1, description="What to look for. Repeat it for more phrases.")
]
RecipeName = Annotated[str | None, Form(description="A name from /v1/recipes; by default what was started with.")]
Seed = Annotated[int, Form(ge=0, le=SEEDS, description="Which noise. The same seed gives the same answer.")]


def service_of(request: Request) -> Service:
    """The service behind the application."""
    found: Service = request.app.state.service
    return found


ServiceOf = Annotated[Service, Depends(service_of)]


async def order_of(service: ServiceOf, phrase: Phrases, recipe: RecipeName = None, seed: Seed = 0) -> Order:
    """What is asked; raises what is wrong with it before anything is read."""
    limits = service.settings.limits
    if len(phrase) > limits.phrases:
        raise _wrong(f"{len(phrase)} phrases are more than the {limits.phrases} that a job takes. Send several jobs.")
    if any(len(text) > limits.phrase_length for text in phrase):
        raise _wrong(f"A phrase has more than {limits.phrase_length} characters. Say it shorter.")
    name = recipe or service.settings.recipe
    if name not in RECIPES:
        # The name itself is not repeated: it may be a slip of anything.
        raise UnknownNameError(f"Unknown recipe. Known: {', '.join(RECIPES)}.")
    return Order(tuple(map(Phrase, phrase)), RECIPES[name], seed)


OrderOf = Annotated[Order, Depends(order_of)]


async def held_of(
    request: Request, service: ServiceOf, order: OrderOf, image: ImageFile = None, image_id: ImageId = None
) -> Held:
    """The image that is asked about; read, where it was not before, once it is clear that the order can be served."""
    if (image is None) == (image_id is None):
        raise _wrong(ONE)
    if image_id is not None:
        return service.image(image_id)
    return await taken(request, service, image)  # type: ignore[arg-type]


async def taken(request: Request, service: Service, image: UploadFile) -> Held:
    """An upload, read."""
    try:
        return await service.read(await image.read())
    finally:
        arrived(request.scope)


async def job_of(service: ServiceOf, job: Annotated[str, Path(pattern=NAME, description="A job, by its name.")]) -> Job:
    """The job in the address."""
    return service.job(job)


async def image_of(
    service: ServiceOf, image: Annotated[str, Path(pattern=NAME, description="An image, by its name.")]
) -> Held:
    """The image in the address."""
    return service.image(image)


HeldOf = Annotated[Held, Depends(held_of)]
JobOf = Annotated[Job, Depends(job_of)]
ImageOf = Annotated[Held, Depends(image_of)]


def _wrong(detail: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail)
