"""What stands before every route: who may ask, from where, how much; and what every answer carries.

A page of a stranger in the same browser reaches a server on the loopback too. `Host` must therefore be one of ours
(else a name that now points here reads it, which is called rebinding), and `Origin`, where a browser sends one, that of
the page itself.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deixis.web.problems import TOO_LARGE, Problem, later, response
from deixis.web.settings import Settings

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
# Whether the service lives and is ready tells nothing, and a balancer that asks has no secret.
OPEN = frozenset({"/v1/health", "/v1/ready"})
SECRET = "/v1/"
ARRIVAL = "deixis.arrival"
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
HOST = (
    "This host name is not served here. Use the address that `deixis serve` printed, or start it with --allowed-host."
)
ORIGIN = "Requests from pages of other sites are refused. Open the page of this service itself."
BEARER = "This service asks for a token: send it as `Authorization: Bearer TOKEN`. Who started the service has it."
CROWDED = "Too many uploads arrive at this moment. Ask again in a second."


class Arrival:
    """An upload on its way; over once, however often that is said.

    Args:
        left: is called then.
    """

    def __init__(self, left: Callable[[], None]) -> None:
        self._left: Callable[[], None] | None = left

    def over(self) -> None:
        """It takes no room any more."""
        left, self._left = self._left, None
        if left is not None:
            left()


class Guard:
    """Refuses what must not come in, and marks what goes out.

    Args:
        app: what is guarded.
        settings: hosts, token and limits.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._digest = None if settings.token is None else _digest(settings.token)
        self._arriving = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
            await send(message)

        refusal = self._refusal(scope)
        if refusal is not None:
            await response(refusal)(scope, receive, marked)
        elif scope["method"] in CHANGING:
            with self._arriving_one() as arrival:
                scope[ARRIVAL] = arrival
                await self._app(scope, receive, marked)
        else:
            await self._app(scope, receive, marked)

    def _refusal(self, scope: Scope) -> Problem | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        name = host if host.endswith("]") else host.rpartition(":")[0] or host
        if self._settings.hosts and name.lower() not in self._settings.hosts:
            return Problem(HTTPStatus.MISDIRECTED_REQUEST, HOST)
        if _foreign(headers, host, scope["method"]):
            return Problem(HTTPStatus.FORBIDDEN, ORIGIN)
        if self._needs_token(scope["path"]) and not self._bears(headers.get("authorization", "")):
            return Problem(HTTPStatus.UNAUTHORIZED, BEARER, {"WWW-Authenticate": "Bearer"})
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or int(length) > self._settings.limits.request_bytes:
            return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE)
        if scope["method"] in CHANGING and self._arriving >= self._settings.limits.uploads:
            return later(HTTPStatus.TOO_MANY_REQUESTS, CROWDED, 1)
        return None

    def _needs_token(self, path: str) -> bool:
        return self._digest is not None and path.startswith(SECRET) and path not in OPEN

    def _bears(self, authorization: str) -> bool:
        scheme, _, token = authorization.partition(" ")
        return scheme.lower() == "bearer" and secrets.compare_digest(_digest(token.strip()), self._digest or b"")

    @contextmanager
    def _arriving_one(self) -> Iterator[Arrival]:
        """One upload more, until it is read or its request is over."""
        arrival = Arrival(self._left)
        self._arriving += 1
        try:
            yield arrival
        finally:
            arrival.over()

    def _left(self) -> None:
        self._arriving -= 1


def arrived(scope: Scope) -> None:
    """Say that a request's upload is read, so that the next one may arrive."""
    arrival = scope.get(ARRIVAL)
    if isinstance(arrival, Arrival):
        arrival.over()


def _foreign(headers: Headers, host: str, method: str) -> bool:
    """Whether a browser says that a page of another site asks."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != host:
        return True
    return method in CHANGING and headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
