"""Names of files and folders: short, safe on every file system, different for different inputs."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from deixis.types import Grounding

SLUG_LENGTH = 40
STEM_LENGTH = 100
NOTHING_LEFT = "phrase"
UNNAMED = "image"
_UNNAMED = ContextVar("unnamed", default=False)
# What some file system or shell trips over.
UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]+')


def slug(text: str) -> str:
    """`text` as lower-case ASCII words joined by hyphens, at most 40 characters; "phrase" where nothing is left."""
    plain = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)
    kept = ""
    for word in words:
        longer = f"{kept}-{word}" if kept else word[:SLUG_LENGTH]
        if len(longer) > SLUG_LENGTH:
            break
        kept = longer
    return kept or NOTHING_LEFT


@contextmanager
def unnamed() -> Iterator[None]:
    """While the block runs `numbered` gives numbers alone: a phrase may name a patient, and file names are seen."""
    before = _UNNAMED.set(True)
    try:
        yield
    finally:
        _UNNAMED.reset(before)


def numbered(groundings: Sequence[Grounding]) -> tuple[str, ...]:
    """``01-right-pleural-effusion`` and so on: what the files of each phrase are called, without suffix."""
    width = max(2, len(str(len(groundings))))
    if _UNNAMED.get():
        return tuple(f"{number:0{width}}" for number in range(1, len(groundings) + 1))
    return tuple(
        f"{number:0{width}}-{slug(grounding.phrase.text)}" for number, grounding in enumerate(groundings, start=1)
    )


def stem_of(source: Path | None) -> str:
    """The folder name for an image: its file name without suffix, made safe; "image" for one without file."""
    stem = UNSAFE.sub("-", source.stem if source is not None else "").strip(" .-")[:STEM_LENGTH]
    return stem.rstrip(" .") or UNNAMED


def folder_names(sources: Iterable[Path | None]) -> tuple[str, ...]:
    """One folder name per input, in order: equal stems get -2, -3 …, also where only upper and lower case differ.

    Names depend on the list alone, so a second run over it replaces the folders of the first.
    """
    taken: set[str] = set()
    names = []
    for source in sources:
        stem = name = stem_of(source)
        number = 1
        while name.casefold() in taken:
            number += 1
            name = f"{stem}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return tuple(names)
