"""What a reader gets and what a row of the readers' table is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deixis.errors import ImageError, TooLargeError
from deixis.types import Image

# Bytes from a file's beginning by which readers recognise it: past DICOM's preamble of 128 and its magic word.
HEAD = 132
UNNAMED = "the image"


@dataclass(frozen=True)
class Bounds:
    """How much is read at most; a radiograph has at most 30 million pixels.

    Args:
        bytes: of a file, also of one that is inflated before it is decoded.
        pixels: of a picture, asked before it is decoded.
    """

    bytes: int = 1 << 30
    pixels: int = 100_000_000


BOUNDS = Bounds()


@dataclass(frozen=True)
class Source:
    """A file's bytes, and what its user calls it.

    Args:
        name: how error texts call it.
        content: the whole file.
        path: where it lies, or None for bytes that were given directly.
        bounds: how much is read of it at most.
    """

    name: str
    content: bytes = field(repr=False)
    path: Path | None = None
    bounds: Bounds = BOUNDS

    def refused(self, problem: str, remedy: str) -> ImageError:
        """The error to raise: which image, what is wrong with it, what to do."""
        return ImageError(f"{self.name} {problem}. {remedy}.")

    def check_size(self, rows: int, columns: int) -> None:
        """Refuse a picture without pixels, or one that would fill the memory, before it is decoded."""
        if rows < 1 or columns < 1:
            raise self.refused(f"has no pixels ({columns}×{rows})", "Export it again")
        if rows * columns > self.bounds.pixels:
            raise self.too_large()

    def too_large(self) -> TooLargeError:
        """The error over a picture that is not decoded because of its size."""
        limit = f"more than the {self.bounds.pixels / 10**6:g} million pixels that deixis takes"
        return TooLargeError(f"{self.name} would decode to {limit}. Scale it down first.")

    def check_bytes(self, size: int, does: str) -> None:
        """Refuse a file that is, or inflates to, more bytes than are read."""
        if size > self.bounds.bytes:
            limit = f"{self.bounds.bytes / 2**20:g} MiB"
            raise TooLargeError(f"{self.name} {does} {limit}. Give a single radiograph.")


@dataclass(frozen=True)
class Reader:
    """A row of the readers' table.

    Args:
        formats: the names of what it reads, for error texts.
        recognises: whether a file that begins with these bytes (up to `HEAD`) is of such a format.
        read: bytes → image; everything that can be wrong with a file is an `ImageError`.
    """

    formats: tuple[str, ...]
    recognises: Callable[[bytes], bool]
    read: Callable[[Source], Image]


def open_source(source: str | Path | bytes | bytearray | memoryview, bounds: Bounds = BOUNDS) -> Source:
    """The bytes of a file, under the name that the caller gave it.

    Raises:
        ImageError: missing, a folder or a device, unreadable, empty, or larger than `bounds` allows.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        given = Source(UNNAMED, bytes(source), bounds=bounds)
        given.check_bytes(len(given.content), "is larger than")
        return _not_empty(given)
    path = Path(source)
    opened = Source(_printable(str(source)) or "''", b"", path, bounds)
    try:
        if path.is_dir():
            raise opened.refused("is a folder", "Name the image files in it")
        if path.exists() and not path.is_file():
            raise opened.refused("is not a regular file", "Copy the image into one")
        opened.check_bytes(path.stat().st_size, "is larger than")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise opened.refused("does not exist", "Check the path") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a valid path"
        raise opened.refused(f"cannot be read ({reason.lower()})", "Check the path and its permissions") from error
    return _not_empty(Source(opened.name, content, path, bounds))


def _printable(name: str) -> str:
    """A name that cannot command a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _not_empty(source: Source) -> Source:
    if not source.content:
        raise source.refused("is empty (0 bytes)", "Export or copy it again")
    return source
