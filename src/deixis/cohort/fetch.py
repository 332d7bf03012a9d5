"""An image by its path or URL, decoded; told apart: what cannot be reached now, and what is no image at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from deixis.errors import ImageError, caught
from deixis.images import read
from deixis.images.source import BOUNDS
from deixis.types import Image

REMOTE = "://"


class UnreachableError(ImageError):
    """An image whose bytes cannot be had: nothing is there, the network is gone, access is refused. It may pass."""


def fetch(name: str, root: Path) -> Image:
    """Read an image.

    Args:
        name: a path, relative ones against `root`, or a URL that fsspec knows, such as ``s3://bucket/key``.
        root: of the manifest.

    Raises:
        UnreachableError: its bytes cannot be had.
        ImageError: they are no image.
    """
    if REMOTE in name:
        return read(_downloaded(name))
    path = root / name
    try:
        # Also a folder or a device is refused by name; only what the system says is passing.
        if path.is_file():
            with path.open("rb") as file:
                content = file.read(BOUNDS.bytes + 1)
            return replace(read(content), source=path)
    except OSError as error:
        raise UnreachableError(f"{name} cannot be read ({(error.strerror or str(error)).lower()}).") from error
    if path.exists():
        raise ImageError(f"{name} is no regular file. Name an image file.")
    raise UnreachableError(f"{name} does not exist under {root}. Check the path, and that its disk is mounted.")


def _downloaded(url: str) -> bytes:
    found = caught(_content, url)
    if isinstance(found, Exception):
        # Every kind of store has errors of its own, and a missing package for it is an ImportError.
        said = " ".join(str(found).split())[:200]
        raise UnreachableError(f"{url} cannot be fetched ({type(found).__name__}: {said}).") from found
    return found


def _content(url: str) -> bytes:
    import fsspec

    with fsspec.open(url, "rb") as file:
        content: bytes = file.read(BOUNDS.bytes + 1)
    return content
