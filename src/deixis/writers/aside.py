"""Writing aside and renaming: what stands under its name is whole."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from deixis.errors import OutputError

# What deixis writes into an image's folder, and what desktops put into any folder.
OURS = re.compile(r"groundings\.json|\d{2,}-[a-z0-9-]+\.\w+", re.ASCII)
DESKTOP = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})


def write_bytes(path: Path, content: bytes) -> Path:
    """Write a file so that it is either there whole or as it was before; returns `path`.

    Raises:
        OutputError: the folder is missing or cannot be written to, or the disk is full.
    """
    beside = path.with_name(f".{secrets.token_hex(8)}.partial")
    try:
        try:
            beside.write_bytes(content)
            os.replace(beside, path)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise refused(path, error) from error
    return path


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """An empty folder to fill; when the block ends it takes the place of `folder`, and is gone if it fails.

    A folder of that name that holds anything but earlier output of deixis, of which names beginning with the
    folder's own are part, is left alone.

    Raises:
        OutputError: the place cannot be written to, or holds files that are not ours.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _check_ours(folder)
        beside = folder.with_name(f".{secrets.token_hex(8)}.partial")
        beside.mkdir()
    except OSError as error:
        raise refused(folder, error) from error
    try:
        yield beside
        _swap(beside, folder)
    except OSError as error:
        raise refused(folder, error) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def refused(path: Path, error: OSError) -> OutputError:
    """The error to raise over a place that cannot be written to."""
    reason = (error.strerror or "no reason given").lower()
    return OutputError(f"{path} cannot be written ({reason}). Choose another output folder.")


def _check_ours(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"{folder} is a file, and a folder of that name is to be written. Choose another output folder.")
    for entry in folder.iterdir():
        known = OURS.fullmatch(entry.name) or entry.name in DESKTOP or entry.name.startswith(f"{folder.name}.")
        if entry.is_dir() or not known:
            raise OutputError(
                f"{folder} holds {entry.name}, which deixis did not write. Choose another output folder, or move it away."
            )


def _swap(beside: Path, folder: Path) -> None:
    """Put `beside` where `folder` is; what was there stays until the new one stands, and comes back if that fails."""
    old = folder.with_name(f".{secrets.token_hex(8)}.old")
    with suppress(FileNotFoundError):
        folder.rename(old)
    try:
        beside.rename(folder)
    except BaseException:
        with suppress(FileNotFoundError):
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
