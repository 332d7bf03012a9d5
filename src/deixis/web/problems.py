"""What a request is told when it cannot be served: problem+json (RFC 9457), free of what the request held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from deixis.errors import DeixisError, ImageError, PhraseError, ResourceError, TooLargeError, UnknownFormatError

MEDIA_TYPE = "application/problem+json"
# The first that fits, from the most special to the most general.
STATUS: tuple[tuple[type[DeixisError], int], ...] = (
    (TooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (UnknownFormatError, HTTPStatus.UNSUPPORTED_MEDIA_TYPE),
    (ImageError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (PhraseError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (ResourceError, HTTPStatus.SERVICE_UNAVAILABLE),
    (DeixisError, HTTPStatus.UNPROCESSABLE_ENTITY),
)
ABSENT = "There is nothing of that name here. GET /openapi.json lists what there is."
METHOD = "This address does not know that method. GET /openapi.json lists what it knows."
TOO_LARGE = "The upload is larger than this service takes; /v1/offers says how large it may be. Send a smaller file."
BUG = "The service failed over this request. That is a bug of deixis; its log says where, without what was asked."
# How long a request waits that finds the service out of memory.
PAUSE = 5
# What pydantic calls an absent or a surplus value, said in words; all others are told by its own message.
SAID = {"missing": "is missing", "extra_forbidden": "is not known here"}


@dataclass(frozen=True)
class ProblemEntry:
    """Why a request was not served.

    Args:
        status: of HTTP.
        title: the status in words.
        detail: what was wrong and what to do.
        type: always "about:blank": the status says which kind it is.
    """

    status: int
    title: str
    detail: str
    type: str = "about:blank"


class Problem(Exception):  # noqa: N818 - as the RFC calls it
    """A request that cannot be served."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = int(status), detail, dict(headers or {})

    @property
    def entry(self) -> ProblemEntry:
        """As it is told."""
        return ProblemEntry(self.status, HTTPStatus(self.status).phrase, self.detail)


def problem_of(error: DeixisError) -> Problem:
    """An error of deixis as a problem of HTTP."""
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    wait = {"Retry-After": str(PAUSE)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    text = str(error)
    return Problem(status, text[:1].upper() + text[1:], wait)


def later(status: int, detail: str, seconds: float) -> Problem:
    """A refusal that says when to come back."""
    return Problem(status, detail, {"Retry-After": str(max(1, round(seconds)))})


def response(problem: Problem) -> JSONResponse:
    """The problem as an answer."""
    entry = problem.entry
    content = {"type": entry.type, "title": entry.title, "status": entry.status, "detail": entry.detail}
    return JSONResponse(content, problem.status, problem.headers, MEDIA_TYPE)


def told(*statuses: int) -> dict[int | str, dict[str, object]]:
    """These refusals, for the description of a route."""
    schema = {"$ref": "#/components/schemas/ProblemEntry"}
    return {
        int(status): {"description": HTTPStatus(status).phrase, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


def install(app: FastAPI) -> None:
    """Have the application answer every error this way."""

    async def on_problem(request: Request, error: Exception) -> JSONResponse:
        return response(error if isinstance(error, Problem) else Problem(HTTPStatus.INTERNAL_SERVER_ERROR, BUG))

    async def on_deixis(request: Request, error: Exception) -> JSONResponse:
        return response(problem_of(error)) if isinstance(error, DeixisError) else await on_problem(request, error)

    async def on_http(request: Request, error: Exception) -> JSONResponse:
        return response(_of_http(error)) if isinstance(error, HTTPException) else await on_problem(request, error)

    async def on_invalid(request: Request, error: Exception) -> JSONResponse:
        invalid = isinstance(error, RequestValidationError)
        return response(_of_invalid(error)) if invalid else await on_problem(request, error)  # type: ignore[arg-type]

    app.add_exception_handler(Problem, on_problem)
    app.add_exception_handler(DeixisError, on_deixis)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(Exception, on_problem)


def _of_http(error: HTTPException) -> Problem:
    """What the framework refuses by itself."""
    details = {
        HTTPStatus.NOT_FOUND: ABSENT,
        HTTPStatus.METHOD_NOT_ALLOWED: METHOD,
        HTTPStatus.BAD_REQUEST: "The body cannot be read. Send a multipart form, as docs/web.md shows with curl.",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: TOO_LARGE,
    }
    status = HTTPStatus(error.status_code)
    return Problem(status, details.get(status, f"{status.phrase}."), error.headers)


def _of_invalid(error: RequestValidationError) -> Problem:
    """Which fields are wrong and how; never what stood in them."""
    lines = []
    for one in error.errors():
        place = [str(part) for part in one["loc"][1:2]] or [str(part) for part in one["loc"][:1]]
        lines.append(f"{'.'.join(place)}: {SAID.get(one['type'], one['msg'])}")
    said = "; ".join(dict.fromkeys(lines))
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{said}. GET /openapi.json says what fits.")
