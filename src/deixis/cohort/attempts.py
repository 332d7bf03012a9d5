"""A ledger on disk of what each worker is at, so that an image that kills its worker is known by those who come after.

A worker that dies says nothing. So it notes each image before it begins with it, in a file of its block, and takes the
file away when the block is done. Who finds such a file knows at which image another died. Only deaths in the same run
count: where the whole run was killed, its images are not to blame.
"""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

# An image that ended so many workers is set aside.
DEATHS = 2
BEGIN, AT = "begin", "at"


@dataclass(frozen=True)
class Attempt:
    """A block under way.

    Args:
        note: its file.
        deaths: how many workers of this run died at each of its images.
    """

    note: Path
    deaths: Counter[str]

    def starting(self, image: str) -> bool:
        """Note that an image is begun; False where it has ended too many workers, and is to be left alone."""
        line = _line(image)
        if self.deaths[line] >= DEATHS:
            return False
        _append(self.note, line)
        return True


@dataclass(frozen=True)
class Ledger:
    """Where notes are, and of which run.

    Args:
        folder: of the notes.
        run: what tells this run from others on the same folder.
    """

    folder: Path
    run: str

    @contextmanager
    def attempt(self, block: int, stage: str) -> Iterator[Attempt]:
        """A stage of a block; its note goes when the stage ends, also by an exception, which is no death."""
        note = self.folder / f"{block:06}.{stage}"
        self.folder.mkdir(parents=True, exist_ok=True)
        deaths = _deaths(note, self.run)
        _append(note, f"{BEGIN} {self.run} {socket.gethostname()} {os.getpid()}")
        try:
            yield Attempt(note, deaths)
        finally:
            note.unlink(missing_ok=True)


def _append(note: Path, line: str) -> None:
    """A line, at once in the hands of the system, which outlives the process."""
    with note.open("a", encoding="utf-8", errors="surrogatepass") as lines:
        lines.write(line + "\n")


def _line(image: str) -> str:
    return f"{AT} {image}".replace("\n", " ").replace("\r", " ")


def _deaths(note: Path, run: str) -> Counter[str]:
    """At which images workers of this run died: each the last that was begun before another worker came."""
    found: Counter[str] = Counter()
    if not note.exists():
        return found
    current, last = "", ""
    # This worker is the next one to come.
    for line in [*note.read_text(encoding="utf-8", errors="surrogatepass").split("\n"), f"{BEGIN} {run}"]:
        word, _, rest = line.partition(" ")
        if word == AT:
            last = line
        elif word == BEGIN:
            begun = rest.partition(" ")[0]
            if last and current == begun == run:
                found[last] += 1
            current, last = begun, ""
    return found
