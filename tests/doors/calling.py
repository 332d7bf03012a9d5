"""Calls the command line in this process, or in one of its own, and says what came of it."""

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image


@dataclass(frozen=True)
class Call:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What was said on standard error."""
        return self.err.splitlines()


def call(capsys, *arguments: object) -> Call:
    """`deixis ARGUMENTS`, in this process."""
    from deixis.cli.app import main

    capsys.readouterr()
    code = main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    return Call(code, said.out, said.err)


def spawn(*arguments: object, **how) -> subprocess.Popen:
    """`python -m deixis ARGUMENTS`, in a process of its own, which Ctrl-C reaches.

    A background job inherits that SIGINT is ignored; a user's terminal does not ignore it.
    """
    command = [sys.executable, "-m", "deixis", *map(str, arguments)]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **how)
    finally:
        signal.signal(signal.SIGINT, before)


def document(folder: Path) -> dict:
    """The groundings.json of an image's folder."""
    return json.loads((folder / "groundings.json").read_text(encoding="utf-8"))


def write_picture(path: Path, *, seed: int = 0, shape: tuple[int, ...] = (90, 120)) -> Path:
    """A picture of noise over a ramp, as PNG or whatever the suffix says."""
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 180, shape[1])[None, :] + np.zeros(shape[:2])
    values = (ramp if len(shape) == 2 else ramp[..., None]) + rng.integers(0, 60, shape)
    PIL.Image.fromarray(values.astype(np.uint8)).save(path)
    return path


def everything_below(folder: Path) -> list[str]:
    """All files and folders below, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
