"""The application: the page and the service on one FastAPI, with nothing fetched from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI
from pydantic import TypeAdapter
from starlette.types import ASGIApp

from deixis.language import MOST_CHARACTERS
from deixis.web import problems
from deixis.web.guard import Guard
from deixis.web.problems import ProblemEntry
from deixis.web.routes import about, grounding, images, jobs, page, reports
from deixis.web.service import Service
from deixis.web.watching import Watch

ABOUT = (
    "Where in a medical image does a phrase live? Read out of a frozen text-to-image diffusion model. "
    "Research use only, not for diagnosis."
)
SILENT = {"tracing": False, "metrics": False, "logs": False, "operation_spans": False, "auto_configure": False}


def create_app(service: Service) -> ASGIApp:
    """The application over a service; it starts with the application's lifespan and stops with it."""

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        await service.start()
        yield
        await service.stop()

    limits = service.settings.limits
    app = FastAPI(
        title="deixis",
        description=ABOUT,
        version=version("deixis"),
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=life,
        docs_url=None,  # its pages fetch scripts from a network of others
        redoc_url=None,
        redirect_slashes=False,
        telemetry=SILENT,  # type: ignore[arg-type]
        max_body_size=limits.request_bytes,
        form_limits={
            "max_files": 1,
            "max_fields": limits.phrases + 8,
            # UTF-8 takes at most 4 bytes to a character; a little more is let in, to be refused in words.
            "max_part_size": 5 * max(limits.phrase_length, MOST_CHARACTERS),
        },
    )
    app.state.service = service
    problems.install(app)
    for routes in (grounding, jobs, images, reports, about, page):
        app.include_router(routes.router)
    _describe(app)
    return Watch(Guard(app, service.settings), service.metrics)


def _describe(app: FastAPI) -> None:
    """Have the description hold the form of refusals, and of nothing that is not answered."""
    made = app.openapi

    def described() -> dict[str, object]:
        if app.openapi_schema is None:
            schema = made()
            schema["components"]["schemas"]["ProblemEntry"] = TypeAdapter(ProblemEntry).json_schema()
            for unused in ("HTTPValidationError", "ValidationError"):
                schema["components"]["schemas"].pop(unused, None)
        return app.openapi_schema or {}

    app.openapi = described  # type: ignore[method-assign]
