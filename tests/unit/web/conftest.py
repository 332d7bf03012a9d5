"""What tests of the service share: the application on the tiny model, with uploads read in this process."""

from contextlib import contextmanager
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from deixis.images import Bounds
from deixis.web.app import create_app
from deixis.web.reading import opened
from deixis.web.service import Service
from deixis.web.settings import Limits, Settings

HERE = "http://127.0.0.1"


def reader(limits: Limits):
    """Reads uploads here; the process of their own has tests of its own."""

    async def here(content):
        return opened(content, Bounds(limits.upload_bytes, limits.pixels))

    return here


@pytest.fixture
def serving(tiny_model):
    """`serving(limits, token=…)`: a client of a service with these settings, while the block runs."""

    @contextmanager
    def open_client(limits=None, load=lambda: tiny_model, **settings):
        given = Settings(limits=limits or Limits(), **settings)
        service = Service(given, load, reader(given.limits))
        with TestClient(create_app(service), HERE, raise_server_exceptions=False) as client:
            client.service = service
            yield client

    return open_client


@pytest.fixture
def client(serving):
    with serving() as client:
        until_ready(client)
        yield client


def until_ready(client):
    """Wait until the model is loaded."""
    import time

    for _ in range(600):
        if client.get("/v1/ready").status_code == 200:
            return
        time.sleep(0.05)
    pytest.fail("the model was not loaded in time")


@pytest.fixture
def png(grey) -> bytes:
    """The smooth picture of 150 × 200, as PNG."""
    return as_png(grey)


def as_png(pixels) -> bytes:
    """Grey in [0, 1] as an 8-bit PNG."""
    from io import BytesIO

    import numpy as np
    import PIL.Image

    buffer = BytesIO()
    PIL.Image.fromarray(np.rint(255 * pixels).astype("uint8")).save(buffer, "PNG")
    return buffer.getvalue()


def small(**changes) -> Limits:
    """The usual limits, changed."""
    return replace(Limits(), **changes)
