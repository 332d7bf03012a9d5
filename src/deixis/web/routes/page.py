"""The page: files of this package, and the colours of heat as the pictures of `deixis ground` have them."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from types import MappingProxyType

from fastapi import APIRouter, Response

from deixis.web.problems import Problem
from deixis.writers.overlay import RESEARCH
from deixis.writers.ramp import ramp

router = APIRouter(include_in_schema=False)
TYPES = MappingProxyType(
    {
        ".html": "text/html; charset=utf-8",
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)


@cache
def asset(name: str) -> tuple[bytes, str] | None:
    """A file of the page and its type; None where there is none of that name."""
    place = files("deixis.web").joinpath("page")
    names = {one.name for one in place.iterdir() if one.is_file()}
    suffix = name[name.rfind(".") :]
    if name not in names or suffix not in TYPES:
        return None
    return place.joinpath(name).read_bytes(), TYPES[suffix]


@router.get("/")
async def index() -> Response:
    """The page itself."""
    return _sent("index.html")


@router.get("/page/setup.js")
async def setup() -> Response:
    """What page and pictures share, as a module."""
    colours = ",".join(str(int(value)) for value in ramp().ravel())
    text = f'export const RAMP = new Uint8Array([{colours}]);\nexport const RESEARCH = "{RESEARCH}";\n'
    return Response(text, media_type=TYPES[".js"])


@router.get("/page/{name}")
async def file(name: str) -> Response:
    """A file of the page."""
    return _sent(name)


def _sent(name: str) -> Response:
    found = asset(name)
    if found is None:
        raise Problem(404, "The page has no file of that name. Open the page itself at /.")
    content, kind = found
    return Response(content, media_type=kind)
