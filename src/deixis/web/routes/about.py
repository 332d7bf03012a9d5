"""What the service is, can do, and is doing."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Response

from deixis.recipes import RECIPES
from deixis.web.entries import (
    ExampleEntry,
    ModelsEntry,
    OffersEntry,
    RecipeEntry,
    RecipesEntry,
    StateEntry,
    model_entry,
)
from deixis.web.examples import SEEDS, example
from deixis.web.problems import later, told
from deixis.web.routes.asking import ServiceOf
from deixis.writers import WRITERS

router = APIRouter(prefix="/v1", tags=["about"])
LOADING = "The model is being loaded. Ask again in a moment."
TEXT = {HTTPStatus.OK: {"content": {"text/plain": {"schema": {"type": "string"}}}}}


@router.get("/health")
async def health() -> StateEntry:
    """Whether the service lives."""
    return StateEntry("ok")


@router.get("/ready", responses=told(503))
async def ready(service: ServiceOf) -> StateEntry:
    """Whether it answers: its model is loaded, and it is not being stopped."""
    if service.model is None or service.stopping:
        raise later(HTTPStatus.SERVICE_UNAVAILABLE, LOADING, 1)
    return StateEntry("ok")


@router.get("/models")
async def models(service: ServiceOf) -> ModelsEntry:
    """The model that the service serves."""
    return ModelsEntry(() if service.model is None else (model_entry(service.model.spec),))


@router.get("/recipes")
async def recipes(service: ServiceOf) -> RecipesEntry:
    """All ways of reading."""
    default = service.settings.recipe
    return RecipesEntry(tuple(RecipeEntry(one.name, one.summary, one.name == default) for one in RECIPES.values()))


@router.get("/offers")
async def offers(service: ServiceOf) -> OffersEntry:
    """Formats of files, images to begin with, and limits."""
    limits = service.settings.limits
    drawn = [await asyncio.to_thread(example, name) for name in SEEDS]
    examples = tuple(ExampleEntry(one.name, one.phrases) for one in drawn)
    return OffersEntry(WRITERS.names(), examples, limits.upload_bytes, limits.pixels, limits.phrases, limits.lifetime)


@router.get("/metrics", response_class=Response, responses=TEXT)  # type: ignore[arg-type]
async def metrics(service: ServiceOf) -> Response:
    """What was counted, for Prometheus."""
    return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
