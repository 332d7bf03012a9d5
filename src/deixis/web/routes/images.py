"""Images: sent once, then asked about; forgotten on request, or after a while."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from deixis.web.entries import ImageHeld, image_held
from deixis.web.files import formats_for
from deixis.web.preview import image_raster
from deixis.web.problems import Problem, told
from deixis.web.routes.asking import ImageFile, ImageOf, ServiceOf, taken

router = APIRouter(prefix="/v1/images", tags=["images"])
ONE = "Give either an `image` file, or the name of an `example` from /v1/offers."
ExampleName = Annotated[str | None, Form(description="A synthetic image, by its name in /v1/offers.")]
RAW = {
    HTTPStatus.OK: {
        "description": "Numbers row by row, little-endian; shape and step are in headers.",
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("", status_code=HTTPStatus.CREATED, responses=told(400, 413, 415, 422, 429, 503))
async def hold(request: Request, service: ServiceOf, image: ImageFile = None, example: ExampleName = None) -> ImageHeld:
    """Send an image, or take an example, to ask about it afterwards."""
    if (image is None) == (example is None):
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, ONE)
    held = await service.example(example or "") if image is None else await taken(request, service, image)
    formats = await asyncio.to_thread(formats_for, held.image, held.header)
    return image_held(service.hold(held), formats, service.settings.limits.lifetime)


@router.get("/{image}/pixels", response_class=Response, responses={**RAW, **told(404, 422)})  # type: ignore[dict-item]
async def pixels(held: ImageOf) -> Response:
    """The image in grey, 16 bits to a pixel, to draw it."""
    raster = await asyncio.to_thread(image_raster, held.image)
    return Response(raster.content, media_type="application/octet-stream", headers=raster.headers)


@router.delete("/{image}", status_code=HTTPStatus.NO_CONTENT, responses=told(404, 422))
async def forget(held: ImageOf, service: ServiceOf) -> None:
    """Forget an image at once."""
    service.drop_image(held.id)
