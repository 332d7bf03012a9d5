"""Jobs: asked now, answered phrase by phrase; to be watched, fetched or cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent

from deixis.web.entries import JobEntry, PhraseEvent, job_entry
from deixis.web.jobs import Job
from deixis.web.preview import heat_raster
from deixis.web.problems import Problem, told
from deixis.web.routes.asking import HeldOf, JobOf, OrderOf, ServiceOf
from deixis.web.routes.images import RAW
from deixis.web.service import Service
from deixis.writers.json import image_entry

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])
NOT_YET = "This phrase is not answered, or was not asked. /v1/jobs/{job} says how far the job is."
Index = Annotated[int, Path(ge=0, le=10_000, description="Which phrase, counted from 0.")]


def entry(service: Service, job: Job) -> JobEntry:
    """How far the job is."""
    waiting = service.waiting()
    return job_entry(job, waiting.index(job) + 1 if job in waiting else 0)


def _brief(service: Service, job: Job) -> JobEntry:
    """The same without what was found, which has events of its own."""
    return replace(entry(service, job), document=None)


@router.post("", status_code=HTTPStatus.ACCEPTED, responses=told(400, 404, 413, 415, 422, 429, 503))
async def ask(order: OrderOf, held: HeldOf, service: ServiceOf) -> JobEntry:
    """Ask where phrases live in an image; answers at once with the job's name."""
    return entry(service, service.submit(service.hold(held), order))


@router.get("/{job}", responses=told(404, 422))
async def look(job: JobOf, service: ServiceOf) -> JobEntry:
    """How far a job is, and what it has found so far."""
    return entry(service, job)


@router.get("/{job}/events", response_class=EventSourceResponse, responses=told(404, 422))
async def watch(job: JobOf, service: ServiceOf) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: `phrase` for every answer, `progress` in between, `end` at the end."""
    sent = 0
    while True:
        change = job.change()
        while sent < len(job.groundings):
            answered = image_entry(job.groundings).groundings[sent]
            yield ServerSentEvent(event="phrase", data=PhraseEvent(sent, answered))
            sent += 1
        if job.over:
            yield ServerSentEvent(event="end", data=_brief(service, job))
            return
        yield ServerSentEvent(event="progress", data=_brief(service, job))
        await change.wait()


@router.get("/{job}/maps/{index}", response_class=Response, responses={**RAW, **told(404, 422)})  # type: ignore[dict-item]
async def heat(job: JobOf, index: Index) -> Response:
    """The heat of a phrase, 8 bits to a number, to draw it."""
    if index >= len(job.groundings):
        raise Problem(HTTPStatus.NOT_FOUND, NOT_YET)
    raster = await asyncio.to_thread(heat_raster, job.groundings[index])
    return Response(raster.raster.content, media_type="application/octet-stream", headers=raster.headers)


@router.delete("/{job}", status_code=HTTPStatus.NO_CONTENT, responses=told(404, 422))
async def cancel(job: JobOf, service: ServiceOf) -> None:
    """Cancel a job, and forget what it found."""
    service.cancel(job)
