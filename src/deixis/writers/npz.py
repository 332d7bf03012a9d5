"""One ``.npz`` per phrase: what a program goes on with."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np

from deixis.types import Grounding
from deixis.writers.aside import write_bytes
from deixis.writers.naming import numbered
from deixis.writers.row import Writer


def write_npz(groundings: Sequence[Grounding], folder: Path, stem: str) -> tuple[Path, ...]:
    """``NN-<slug>.npz`` with ``heat`` float32, ``mask`` bool and ``seen`` bool, each ``[y x]`` in native pixels."""
    return tuple(
        write_bytes(folder / f"{name}.npz", _packed(grounding))
        for name, grounding in zip(numbered(groundings), groundings, strict=True)
    )


def _packed(grounding: Grounding) -> bytes:
    buffer = BytesIO()
    heat = grounding.heat
    np.savez_compressed(
        buffer, heat=heat.values.astype(np.float32), mask=grounding.mask.astype(bool), seen=heat.seen.astype(bool)
    )
    return buffer.getvalue()


NPZ = Writer(write_npz)
