"""The server: where it listens, what it says when it begins, and how it ends."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import uvicorn

from deixis.errors import DeixisError
from deixis.types import LatentModel
from deixis.web.app import create_app
from deixis.web.logs import to_standard_error
from deixis.web.reading import ReadingProcess
from deixis.web.service import Service
from deixis.web.settings import Settings, is_loopback

# The shortest secret that is taken: 16 characters at random are beyond guessing.
SHORTEST = 16
OPEN_WIDE = (
    "--host {host} is reached from other machines, which needs a secret. Give --token-file PATH with one of at least "
    "{shortest} characters, or listen on 127.0.0.1."
)


class ServeError(DeixisError):
    """A server that cannot be started as it was asked."""


@dataclass(frozen=True)
class Address:
    """Where the server listens; port 0 lets the system choose one."""

    host: str
    port: int


def token_in(file: Path | None) -> str | None:
    """The secret in a file, without the white space around it; None where there is no file.

    Raises:
        ServeError: it cannot be read, or is too short to be a secret.
    """
    if file is None:
        return None
    try:
        token = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ServeError(f"--token-file {file} cannot be read. Give a text file that holds the secret.") from error
    if len(token) < SHORTEST or not token.isascii() or not token.isprintable():
        raise ServeError(
            f"--token-file {file} holds {len(token)} characters; a secret has at least {SHORTEST}, all printable "
            "ASCII. Make one: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'."
        )
    return token


def check_open(address: Address, settings: Settings) -> None:
    """Refuse to listen to other machines without a secret."""
    if settings.token is None and not is_loopback(address.host):
        raise ServeError(OPEN_WIDE.format(host=address.host, shortest=SHORTEST))


def serve(address: Address, settings: Settings, load: Callable[[], LatentModel], said: Callable[[str], None]) -> None:
    """Serve until a signal ends it: SIGTERM quietly, Ctrl-C as `KeyboardInterrupt`.

    Args:
        address: where to listen.
        settings: hosts, secret, recipe and limits.
        load: gives the model; what it raises ends the server and is raised here.
        said: is told the page's address as soon as it answers.

    Raises:
        ServeError: the address is taken, or other machines would reach it without a secret.
    """
    check_open(address, settings)
    listening = _listening(address)
    to_standard_error()
    asyncio.run(_served(listening, address, settings, load, said))


async def _served(
    listening: socket.socket,
    address: Address,
    settings: Settings,
    load: Callable[[], LatentModel],
    said: Callable[[str], None],
) -> None:
    reading, failures = ReadingProcess(settings.limits), []

    def failed(error: BaseException) -> None:
        failures.append(error)
        server.should_exit = True

    service = Service(settings, load, reading, failed)
    config = uvicorn.Config(
        create_app(service),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        http="h11",
        timeout_graceful_shutdown=int(settings.limits.grace),
    )
    server = _Server(config, service)
    # uvicorn sends itself the signal again when it has stopped; of SIGTERM nothing is left to do then.
    before = signal.signal(signal.SIGTERM, lambda number, frame: None)
    host = f"[{address.host}]" if ":" in address.host else address.host
    said(f"http://{host}:{listening.getsockname()[1]}/")
    warm = asyncio.create_task(reading.warm())
    try:
        await server.serve(sockets=[listening])
    finally:
        warm.cancel()
        reading.close()
        signal.signal(signal.SIGTERM, before)
    for error in failures:
        raise error


def _listening(address: Address) -> socket.socket:
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # asyncio sends small answers at once (TCP_NODELAY) on sockets that say what they are; else events lag by 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((address.host.strip("[]"), address.port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        reason = (error.strerror or "no reason given").lower()
        raise ServeError(
            f"{address.host}:{address.port} cannot be listened on ({reason}). Choose another --port, or 0."
        ) from error
    return listening


class _Server(uvicorn.Server):
    """Tells the service of a signal before connections are waited for: what waits in the queue is returned at once."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._service.begin_stop)
        super().handle_exit(sig, frame)
