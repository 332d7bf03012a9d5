"""`deixis serve`: the page and the HTTP service."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deixis.cli import console
from deixis.cli.options import taking
from deixis.cli.precision import Precision

if TYPE_CHECKING:
    from deixis.web.settings import Settings

MEBIBYTE = 2**20
# What the extra `web` brings, by the names they are imported under.
NEEDED = ("fastapi", "uvicorn", "prometheus_client", "multipart")


@dataclass(frozen=True)
class ServeOptions:
    """What can be said after `deixis serve`."""

    host: Annotated[str, typer.Option(help="Where to listen. Beyond this machine it needs --token-file.")] = "127.0.0.1"
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8642
    model: Annotated[str, typer.Option("--model", "-m", help="A name from `deixis models`, a path, or a hub id.")] = (
        "phantom"
    )
    recipe: Annotated[str, typer.Option("--recipe", "-r", help="The recipe of requests that name none.")] = (
        "best-instant"
    )
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, …; auto takes a GPU where there is one.")] = (
        "auto"
    )
    dtype: Annotated[Precision, typer.Option(help="Precision of the weights; half of it halves memory.")] = (
        Precision.FLOAT32
    )
    token_file: Annotated[
        Path | None, typer.Option(metavar="PATH", help="A file with the secret that every request must bear.")
    ] = None
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A host name under which a proxy in front is asked. Repeat for more."),
    ] = None
    queue: Annotated[int, typer.Option(min=0, help="Jobs that may wait; beyond it requests are told to come back.")] = (
        16
    )
    max_upload: Annotated[int, typer.Option(min=1, metavar="MIB", help="Largest upload.")] = 64
    max_pixels: Annotated[float, typer.Option(min=0.01, metavar="MILLION", help="Largest image.")] = 36.0
    job_seconds: Annotated[float, typer.Option(min=0.1, help="Longest that a job may run.")] = 120.0
    keep_minutes: Annotated[
        float, typer.Option(min=0.1, help="How long images and results stay in memory unasked for.")
    ] = 15.0
    max_held: Annotated[
        int, typer.Option(min=16, metavar="MIB", help="Memory for images, and as much again for results.")
    ] = 512


@taking(ServeOptions)
def serve(asked: ServeOptions) -> None:
    """Serve the page and the HTTP service, until Ctrl-C or SIGTERM."""
    _check_installed()
    _silence()
    from deixis.models.finding import find
    from deixis.models.loading import load
    from deixis.web import serving

    settings = settings_of(asked)
    address = serving.Address(asked.host, asked.port)
    serving.check_open(address, settings)
    find(asked.model)
    serving.serve(address, settings, lambda: load(asked.model, asked.device, asked.dtype.in_torch), _told)


def _silence() -> None:
    """Switch off what libraries tell their makers, before they are imported."""
    for variable in ("HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK"):
        os.environ[variable] = "1"


def settings_of(asked: ServeOptions) -> Settings:
    """The options as the service takes them."""
    from deixis.web.serving import token_in
    from deixis.web.settings import LOOPBACK, Limits, Settings, is_loopback

    limits = Limits(
        upload_bytes=asked.max_upload * MEBIBYTE,
        pixels=round(asked.max_pixels * 1e6),
        queue=asked.queue,
        job_seconds=asked.job_seconds,
        lifetime=60 * asked.keep_minutes,
        held_bytes=asked.max_held * MEBIBYTE,
    )
    names = tuple(name.lower() for name in asked.allowed_host or ())
    # Beyond the loopback the secret stands in for the host's name, unless names were given.
    hosts = (*LOOPBACK, *names) if names or is_loopback(asked.host) else ()
    return Settings(asked.recipe, token_in(asked.token_file), hosts, limits)


def _check_installed() -> None:
    from deixis.errors import ResourceError

    absent = [name for name in NEEDED if find_spec(name) is None]
    if absent:
        raise ResourceError(f"`deixis serve` needs {', '.join(absent)}: pip install 'deixis[web]'.")


def _told(address: str) -> None:
    console.say(f"deixis serves at {address}")
    console.note("Research use only, not for diagnosis. Ctrl-C ends it.")
