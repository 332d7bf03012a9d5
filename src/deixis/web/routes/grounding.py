"""The short way: an image and phrases in, the document of ``deixis ground --json`` out."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from deixis.errors import UnknownNameError
from deixis.web.files import download
from deixis.web.jobs import Job
from deixis.web.problems import Problem, told
from deixis.web.routes.asking import NAME, HeldOf, OrderOf, ServiceOf
from deixis.web.service import Service
from deixis.writers import WRITERS
from deixis.writers.json import Document, image_entry

router = APIRouter(prefix="/v1", tags=["grounding"])
# Seconds between two looks at whether the client is still there.
LOOK = 1.0
Jobs = Annotated[list[str], Query(alias="job", min_length=1, max_length=200, description="Jobs of one image.")]
Format = Annotated[str, Path(pattern=NAME, description="A format from /v1/offers.")]
FILE = {
    HTTPStatus.OK: {
        "description": "The file, or a zip of several.",
        "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("/ground", response_model=Document, responses=told(400, 404, 409, 413, 415, 422, 429, 503, 504))
async def ground(request: Request, order: OrderOf, held: HeldOf, service: ServiceOf) -> Response:
    """Where each phrase lives in the image; answers when all of it is found."""
    job = service.submit(held, order)
    try:
        await _until_over(job, request)
    finally:
        service.cancel(job)
    if job.problem is not None:
        raise job.problem
    return Response(Document((image_entry(job.groundings),)).text(), media_type="application/json")


@router.get("/files/{format}", response_class=Response, responses={**FILE, **told(404, 422)})  # type: ignore[dict-item]
async def files(format: Format, job: Jobs, service: ServiceOf) -> Response:  # noqa: A002 - as the command line says
    """What jobs of one image found, as a file of a format."""
    if format not in WRITERS:
        raise UnknownNameError(f"Unknown output format. Known: {', '.join(WRITERS.names())}.")
    jobs = _jobs(service, job)
    found = tuple(one for asked in jobs for one in asked.groundings)
    if not found:
        raise Problem(HTTPStatus.NOT_FOUND, "No phrase of these jobs is answered yet. Wait for the first.")
    made = await asyncio.to_thread(download, found, format, jobs[0].held.header)
    attached = {"Content-Disposition": f'attachment; filename="{made.name}"'}
    return Response(made.content, media_type=made.media_type, headers=attached)


async def _until_over(job: Job, request: Request) -> None:
    """Wait for the job, or for its client to leave."""
    while not job.over and not await request.is_disconnected():
        try:
            await asyncio.wait_for(job.wait(), LOOK)
        except TimeoutError:
            continue


def _jobs(service: Service, names: list[str]) -> list[Job]:
    """The jobs of these names, which must be of one image."""
    jobs = [service.job(name) for name in dict.fromkeys(names)]
    if len({job.held.content for job in jobs}) > 1:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "These jobs are of different images. Ask for one image's.")
    return jobs
