"""Writing aside and renaming: what stands under its name is whole."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Set
from contextlib import contextmanager, suppress
from pathlib import Path

from deixis.errors import OutputError

# What desktops put into any folder.
DESKTOP = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """A file to write; when the block ends it takes the place of `path`, and is gone if the block fails.

    Raises:
        OSError: the folder is missing or cannot be written to, or the disk is full.
    """
    beside = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        yield beside
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file so that it is either there whole or as it was before; returns `path`.

    Raises:
        OSError: the folder is missing or cannot be written to, or the disk is full.
    """
    with replaced_file(path) as beside:
        beside.write_bytes(content)
    return path


@contextmanager
def replaced_folder(folder: Path, stale: Set[str] = frozenset()) -> Iterator[Path]:
    """An empty folder to fill; when the block ends it takes the place of `folder`, and is gone if the block fails.

    Of what stands in `folder`, the names in `stale` go and those written anew are replaced; everything else is not
    ours and stays.

    Raises:
        OutputError: the place cannot be written to.
    """
    place = folder.resolve() if folder.is_symlink() else folder
    beside = place.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside.mkdir()
        yield beside
        _put_in_place(beside, place, stale)
    except OSError as error:
        raise refused(folder, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def refused(path: Path, error: OSError) -> OutputError:
    """The error to raise over a place that cannot be written to."""
    reason = (error.strerror or "no reason given").lower()
    return OutputError(f"{path} cannot be written ({reason}). Choose another output folder.")


def _put_in_place(beside: Path, folder: Path, stale: Set[str]) -> None:
    """The whole folder at once where nothing but ours is replaced, else file by file."""
    new = {entry.name for entry in beside.iterdir()}
    there = {entry.name for entry in folder.iterdir()} if folder.exists() else set()
    if there <= new | stale | DESKTOP:
        _swap(beside, folder)
        return
    for name in sorted(new):
        (beside / name).replace(folder / name)
    for name in (there & stale) - new:
        (folder / name).unlink()


def _swap(beside: Path, folder: Path) -> None:
    """Put `beside` where `folder` is; what was there stays until the new one stands, and comes back if that fails."""
    old = folder.with_name(f".{secrets.token_hex(8)}.old")
    try:
        with suppress(FileNotFoundError):
            folder.rename(old)
        beside.rename(folder)
    finally:
        if old.exists() and not folder.exists():
            old.rename(folder)
    shutil.rmtree(old, ignore_errors=True)
