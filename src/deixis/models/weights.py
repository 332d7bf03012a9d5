"""Where a model's files lie, and what they hash to. Pickles are only ever opened as plain tensors, never run."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from deixis.errors import ModelError
from deixis.models.catalog import CATALOG
from deixis.registry import unknown_name

SEARCH_VARIABLE = "DEIXIS_MODELS"
SUFFIXES = (".safetensors", ".pth", ".pt")
CHUNK = 1 << 20


def find(name_or_path: str | Path) -> Path:
    """The folder of a model, given as a path, as the name of a folder under ``DEIXIS_MODELS``, or as a catalog name.

    A known name wins over a folder of that name in the working directory; write ``./phantom`` for the latter.

    Raises:
        ModelError: the path is no folder, or the named model's files are not here.
        UnknownNameError: neither a folder nor a known name; lists the known.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or os.sep in text or text.startswith((".", "~")):
        return _existing(Path(text).expanduser())
    for parent in search_folders():
        if (parent / text).is_dir():
            return parent / text
    if text in CATALOG:
        return _bundled(text)
    if Path(text).is_dir():
        return Path(text)
    raise unknown_name("model", text, known_names())


def known_names() -> tuple[str, ...]:
    """Catalog names, then the folders under ``DEIXIS_MODELS`` in alphabetical order."""
    found = sorted({folder.name for parent in search_folders() for folder in parent.iterdir() if folder.is_dir()})
    return (*CATALOG, *(name for name in found if name not in CATALOG))


def search_folders() -> tuple[Path, ...]:
    """The folders named by ``DEIXIS_MODELS`` that exist, separated as in PATH."""
    listed = os.environ.get(SEARCH_VARIABLE, "").split(os.pathsep)
    return tuple(Path(entry).expanduser() for entry in listed if entry and Path(entry).expanduser().is_dir())


def weight_files(folder: Path) -> tuple[Path, ...]:
    """All weight files below `folder` that deixis reads, in alphabetical order."""
    return tuple(sorted(file for file in folder.rglob("*") if file.suffix in SUFFIXES))


def fingerprint(*folders: Path) -> str:
    """SHA-256 over the names and contents of all weight files; remembered until a file changes size or time."""
    digest = hashlib.sha256()
    for folder in folders:
        for file in weight_files(folder):
            stat = file.stat()
            digest.update(file.relative_to(folder).as_posix().encode())
            digest.update(_file_hash(file, stat.st_size, stat.st_mtime_ns))
    return digest.hexdigest()


@lru_cache(maxsize=256)
def _file_hash(file: Path, size: int, modified: int) -> bytes:
    """Size and time only tell one state of the file from another."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            digest.update(chunk)
    return digest.digest()


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "does not exist"
        raise ModelError(f"The model folder {folder} {what}. Give a diffusers folder, or a name: {_names()}.")
    return folder


def _bundled(name: str) -> Path:
    folder = CATALOG[name].folder
    if folder is None:
        raise ModelError(f"The weights of {name!r} are not here. Put its folder {name!r} under {SEARCH_VARIABLE}.")
    if not folder.is_dir():
        raise ModelError(
            f"The bundled model {name!r} is missing from this installation ({folder}). Install deixis again, or put "
            f"a folder {name!r} under a directory named by {SEARCH_VARIABLE}."
        )
    return folder


def _names() -> str:
    return ", ".join(known_names())
