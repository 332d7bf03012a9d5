"""Counts and logs every request: by the template of its route, never by its address."""

from __future__ import annotations

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from deixis.web.logs import note
from deixis.web.metrics import METHODS, OTHER, Metrics

# What a client that leaves before its answer begins is counted under.
LEFT = 499
# Asked again and again by machines.
QUIET = frozenset({"/v1/health", "/v1/ready", "/v1/metrics"})


class Watch:
    """Tells the metrics and the log of every request.

    Args:
        app: what answers.
        metrics: what counts.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, and tell."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), LEFT

        async def heard(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, heard)
        finally:
            seconds = time.perf_counter() - started
            route = getattr(scope.get("route"), "path", OTHER)
            method = scope["method"] if scope["method"] in METHODS else OTHER
            self._metrics.request(method, route, status, seconds)
            level = "debug" if route in QUIET else "info"
            note("request", level=level, method=method, route=route, status=status, seconds=round(seconds, 4))
