"""Work for every engine, run as a program: `python engine_work.py ENGINE NOTES` prints what came of it as JSON."""

import json
import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Deadly:
    """Kills who is at `item`, once."""

    notes: str
    item: int

    def __call__(self, item):
        note = Path(self.notes) / str(self.item)
        if item == self.item and not note.exists():
            note.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return item


@dataclass(frozen=True)
class Step:
    """Slow over the first item, so that others overtake it; dies at another."""

    deadly: Deadly

    def __call__(self, item):
        time.sleep(0.5 if item == 0 else 0)
        return {"item": self.deadly(item), "pid": os.getpid()}


@dataclass(frozen=True)
class Making:
    """Notes that a worker was made."""

    notes: str

    def __call__(self):
        (Path(self.notes) / f"made-{os.getpid()}").touch()
        return Step(Deadly(self.notes, 4))


def failing():
    return refuse


def refuse(item):
    from deixis.errors import ManifestError

    raise ManifestError(f"item {item} is refused")


def main() -> None:
    from deixis.crew import ENGINES, Crew, Work, as_it_is
    from deixis.errors import DeixisError

    name, notes = sys.argv[1:]
    engine, crew = ENGINES[name], Crew(name, workers=2)
    found = list(engine(Work(Deadly(notes, 2), Making(notes)), list(range(8)), crew))
    try:
        refused = str(list(engine(Work(as_it_is, failing), [1], Crew(name, workers=1))))
    except DeixisError as error:
        refused = f"{type(error).__name__}: {error}"
    print(json.dumps({"items": [one["item"] for one in found], "refused": refused}))


if __name__ == "__main__":
    main()
