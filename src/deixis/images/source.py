"""What a reader gets and what a row of the readers' table is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from deixis.errors import ImageError
from deixis.types import Image

# Largest file that is opened and largest picture that is decoded; a radiograph has at most 30 million pixels.
MAX_BYTES = 1 << 30
MAX_PIXELS = 100_000_000
# Bytes from a file's beginning by which readers recognise it: past DICOM's preamble of 128 and its magic word.
HEAD = 132
UNNAMED = "the image"


@dataclass(frozen=True)
class Source:
    """A file's bytes, and what its user calls it.

    Args:
        name: how error texts call it.
        content: the whole file.
        path: where it lies, or None for bytes that were given directly.
    """

    name: str
    content: bytes = field(repr=False)
    path: Path | None = None

    def refused(self, problem: str, remedy: str) -> ImageError:
        """The error to raise: which image, what is wrong with it, what to do."""
        return ImageError(f"{self.name} {problem}. {remedy}.")

    def check_size(self, rows: int, columns: int) -> None:
        """Refuse a picture without pixels, or one that would fill the memory, before it is decoded."""
        if rows < 1 or columns < 1:
            raise self.refused(f"has no pixels ({columns}×{rows})", "Export it again")
        if rows * columns > MAX_PIXELS:
            raise self.too_large()

    def too_large(self) -> ImageError:
        """The error over a picture that is not decoded because of its size."""
        limit = f"more than the {MAX_PIXELS // 10**6} million pixels that deixis takes"
        return self.refused(f"would decode to {limit}", "Scale it down first")


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


def open_source(source: str | Path | bytes | bytearray | memoryview) -> Source:
    """The bytes of a file, under the name that the caller gave it.

    Raises:
        ImageError: missing, a folder or a device, unreadable, empty, or larger than 1 GiB.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _not_empty(Source(UNNAMED, bytes(source)))
    path = Path(source)
    opened = Source(_printable(str(source)) or "''", b"", path)
    try:
        if path.is_dir():
            raise opened.refused("is a folder", "Name the image files in it")
        if path.exists() and not path.is_file():
            raise opened.refused("is not a regular file", "Copy the image into one")
        if path.stat().st_size > MAX_BYTES:
            raise opened.refused("is larger than 1 GiB", "Give a single radiograph")
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise opened.refused("does not exist", "Check the path") from error
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a valid path"
        raise opened.refused(f"cannot be read ({reason.lower()})", "Check the path and its permissions") from error
    return _not_empty(Source(opened.name, content, path))


def _printable(name: str) -> str:
    """A name that cannot command a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _not_empty(source: Source) -> Source:
    if not source.content:
        raise source.refused("is empty (0 bytes)", "Export or copy it again")
    return source
