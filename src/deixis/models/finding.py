"""From what a user calls a model to where its files lie.

In this order: a path; a name or hub id under the folders of ``DEIXIS_MODELS``; what comes with deixis; the local cache
of the hub, all ids that a name stands for; the hub itself, in the same order of ids. ``NAME@REVISION`` pins a commit,
branch or tag of the hub; the variable ``HF_HUB_OFFLINE`` forbids downloads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from deixis.errors import ModelError
from deixis.models.catalog import CATALOG, Entry, Label, entry_of, label_of
from deixis.models.hub import HUB_ID, cached, download
from deixis.registry import unknown_name

SEARCH_VARIABLE = "DEIXIS_MODELS"
FILES = (".safetensors", ".ckpt", ".pth", ".pt")


@dataclass(frozen=True)
class Found:
    """Files, and the catalog row they were asked for by.

    Args:
        place: a folder or a single file.
        entry: the row, or None for a path or a name that the catalog does not know.
        published: whether they are the row's published files, rather than a user's own under its name.
    """

    place: Path
    entry: Entry | None = None
    published: bool = False

    @property
    def label(self) -> Label:
        """See `label_of`."""
        return label_of(self.place, self.entry)


def anywhere(name_or_path: str) -> str:
    """The same, so that it also means the same to a process in another working folder."""
    path = Path(name_or_path)
    return str(path.absolute()) if path.name != name_or_path and path.exists() else name_or_path


def find(name_or_path: str | Path) -> Path:
    """Where a model lies; see `locate`."""
    return locate(name_or_path).place


def locate(name_or_path: str | Path, *, fetch: bool = True) -> Found:
    """A model's files. A known name wins over a folder of that name here; write ``./phantom`` for the latter.

    Args:
        name_or_path: a path, a catalog name, a folder or file under ``DEIXIS_MODELS``, or a hub id; the last three may
            be followed by ``@REVISION``.
        fetch: whether the hub may be asked where nothing is here.

    Raises:
        ModelError: the path does not exist, or the named model is not here and cannot be had.
        UnknownNameError: neither a path nor a known name; lists the known.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.startswith((".", "~", os.sep)) or Path(text).suffix in FILES:
        return Found(_existing(Path(text).expanduser()))
    name, _, revision = text.partition("@")
    entry = entry_of(name)
    own = _under_search_folders(name, entry)
    if own is not None:
        return Found(own, entry)
    if entry is not None and entry.folder is not None:
        return Found(_bundled(name, entry.folder), entry, published=True)
    if entry is None and Path(text).exists():
        return Found(Path(text))
    ids = tuple(dict.fromkeys(filter(HUB_ID.fullmatch, (name, *(() if entry is None else entry.ids)))))
    place = _from_hub(ids, revision or None, fetch=fetch)
    if place is not None:
        return Found(place, entry, published=True)
    if entry is None and not ids:
        raise _existing_error(Path(text)) if os.sep in text else unknown_name("model", text, known_names())
    raise _absent(text, ids)


def known_names() -> tuple[str, ...]:
    """Catalog names, then the folders and weight files under ``DEIXIS_MODELS`` in alphabetical order."""
    inside = [place for parent in search_folders() for place in parent.iterdir()]
    found = sorted({place.name for place in inside if place.is_dir() or place.suffix in FILES})
    return (*CATALOG, *(name for name in found if name not in CATALOG))


def search_folders() -> tuple[Path, ...]:
    """The folders named by ``DEIXIS_MODELS`` that exist, separated as in PATH."""
    listed = os.environ.get(SEARCH_VARIABLE, "").split(os.pathsep)
    return tuple(Path(entry).expanduser() for entry in listed if entry and Path(entry).expanduser().is_dir())


def _under_search_folders(name: str, entry: Entry | None) -> Path | None:
    """By the name itself, by the row's name, or by a hub id, with its owner's folder or without."""
    names = [name] if entry is None else [name, entry.label.name, *entry.aliases, *entry.ids]
    tried = [variant for one in names for variant in (one, one.rpartition("/")[2])]
    places = (parent / variant for variant in dict.fromkeys(tried) for parent in search_folders())
    return next((place for place in places if place.exists()), None)


def _from_hub(ids: tuple[str, ...], revision: str | None, *, fetch: bool) -> Path | None:
    steps: tuple[Callable[[str, str | None], Path | None], ...] = (cached, download) if fetch else (cached,)
    return next((place for step in steps for id_ in ids if (place := step(id_, revision)) is not None), None)


def _existing(place: Path) -> Path:
    if not place.exists():
        raise _existing_error(place)
    if place.is_file() and place.suffix not in FILES:
        raise ModelError(f"{place} is no model: single files end in {', '.join(FILES)}. Or give a folder.")
    return place


def _existing_error(place: Path) -> ModelError:
    return ModelError(f"The model {place} does not exist. Give a folder, a single file, or a name: {_names()}.")


def _bundled(name: str, folder: Path) -> Path:
    if not folder.is_dir():
        raise ModelError(
            f"The bundled model {name!r} is missing from this installation ({folder}). Install deixis again, or put "
            f"a folder {name!r} under a directory named by {SEARCH_VARIABLE}."
        )
    return folder


def _absent(name: str, ids: tuple[str, ...]) -> ModelError:
    tried = f"; the hub has none of {', '.join(ids)}" if ids else ""
    return ModelError(
        f"The weights of {name!r} are not here{tried}. Put its folder under a directory named by {SEARCH_VARIABLE}, or "
        "give its path. docs/models.md tells how to get each model."
    )


def _names() -> str:
    return ", ".join(known_names())
