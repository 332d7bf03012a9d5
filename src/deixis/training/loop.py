"""A training loop that can be stopped at any moment with nothing lost.

A stage is a step function and the objects whose state it changes. Everything random in step i is drawn from a
generator seeded by (seed, i), so a resumed stage goes on exactly as if it had never stopped.
"""

from __future__ import annotations

import csv
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

# Seconds of work that a kill can cost at most; a stop by signal costs none.
SAVE_EVERY = 60.0
LOG_EVERY = 20


class Stateful(Protocol):
    """What a checkpoint can hold: modules, optimisers, averages."""

    def state_dict(self) -> dict[str, Any]:
        """The state as plain data."""
        ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> Any:
        """Take such a state back."""
        ...


@dataclass(frozen=True)
class Stage:
    """One part of a training.

    Args:
        name: of its checkpoint and of its rows in the log.
        steps: how many in all.
        parts: what changes during training, by name.
        step: does step i and returns the loss.
    """

    name: str
    steps: int
    parts: Mapping[str, Stateful]
    step: Callable[[int], float]


def run(stage: Stage, folder: Path) -> None:
    """Bring a stage to its end, from its checkpoint in `folder` where there is one.

    Ctrl-C and a termination signal save first and then raise `KeyboardInterrupt`.
    """
    first = _restore(stage, folder)
    if first >= stage.steps:
        return
    saved, recent = time.monotonic(), []
    with _stop_requests() as stop, _progress() as progress, _log(folder, stage.name, first) as write:
        task = progress.add_task(stage.name, total=stage.steps, completed=first, loss="")
        for i in range(first, stage.steps):
            recent.append(stage.step(i))
            if (i + 1) % LOG_EVERY == 0 or i + 1 == stage.steps:
                loss, recent = sum(recent) / len(recent), []
                write(i + 1, loss)
                progress.update(task, loss=f"loss {loss:.4f}")
            progress.update(task, completed=i + 1)
            if stop() or time.monotonic() - saved > SAVE_EVERY or i + 1 == stage.steps:
                _save(stage, folder, i + 1)
                saved = time.monotonic()
            if stop():
                raise KeyboardInterrupt


def generator(seed: int, step: int) -> torch.Generator:
    """The source of everything random in one step."""
    return torch.Generator().manual_seed((seed * 1_000_003 + step) % (2**63))


def learning_rate(step: int, steps: int, peak: float, *, warmup: int = 200) -> float:
    """Linear warm-up, then a cosine down to a twentieth of the peak."""
    if step < warmup:
        return peak * (step + 1) / warmup
    turn = torch.pi * (step - warmup) / max(1, steps - warmup)
    return peak * (0.05 + 0.95 * 0.5 * (1 + float(torch.cos(torch.tensor(turn)))))


class Average:
    """Exponential moving average of a module's parameters, with a warm-up that forgets the random start.

    The averaged parameters are what is shipped; `copy_to` writes them into a module.
    """

    def __init__(self, module: torch.nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.values = {name: value.detach().clone() for name, value in module.named_parameters()}

    def update(self, module: torch.nn.Module) -> None:
        """Move towards the module's present parameters."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        with torch.no_grad():
            for name, value in module.named_parameters():
                self.values[name].lerp_(value.detach(), 1 - decay)

    def copy_to(self, module: torch.nn.Module) -> None:
        """Write the averaged parameters into `module`."""
        with torch.no_grad():
            for name, value in module.named_parameters():
                value.copy_(self.values[name])

    def state_dict(self) -> dict[str, Any]:
        """The average and how many updates it has seen."""
        return {"updates": self.updates, "values": self.values}

    def load_state_dict(self, state_dict: dict[str, Any], /) -> None:
        """Take a saved average back."""
        self.updates = state_dict["updates"]
        self.values = dict(state_dict["values"])


def _checkpoint(stage: Stage, folder: Path) -> Path:
    return folder / f"{stage.name}.ckpt"


def _save(stage: Stage, folder: Path, step: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    target = _checkpoint(stage, folder)
    aside = target.with_suffix(".part")
    torch.save({"step": step, **{name: part.state_dict() for name, part in stage.parts.items()}}, aside)
    aside.replace(target)


def _restore(stage: Stage, folder: Path) -> int:
    path = _checkpoint(stage, folder)
    if not path.exists():
        return 0
    saved = torch.load(path, map_location="cpu", weights_only=True)
    for name, part in stage.parts.items():
        part.load_state_dict(saved[name])
    return int(saved["step"])


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Turn SIGINT and SIGTERM into a question that the loop asks between steps."""
    asked: list[int] = []

    def ask(number: int, _frame: FrameType | None) -> None:
        asked.append(number)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[loss]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as progress:
        yield progress


@contextmanager
def _log(folder: Path, stage: str, first: int) -> Iterator[Callable[[int, float], None]]:
    """Append rows to log.csv; rows past the checkpoint that is resumed from are dropped."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "log.csv"
    rows = [row for row in read_log(folder) if not (row[0] == stage and row[1] > first)]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("stage", "step", "loss", "seconds"))
        writer.writerows(rows)
        begun = time.monotonic() - max((row[3] for row in rows if row[0] == stage), default=0.0)

        def write(step: int, loss: float) -> None:
            writer.writerow((stage, step, f"{loss:.6f}", f"{time.monotonic() - begun:.1f}"))
            file.flush()

        yield write


def read_log(folder: Path) -> list[tuple[str, int, float, float]]:
    """Rows of log.csv: stage, step, mean loss since the row before, seconds spent in the stage."""
    path = folder / "log.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [(r["stage"], int(r["step"]), float(r["loss"]), float(r["seconds"])) for r in csv.DictReader(file)]
