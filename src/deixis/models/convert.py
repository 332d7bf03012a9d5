"""The same model in safetensors: a copy of a folder whose pickled weights are plain tensors in the new format."""

from __future__ import annotations

import shutil
from pathlib import Path

from deixis.errors import ModelError
from deixis.models.state_dicts import read_state

PICKLES = (".pth", ".pt", ".bin", ".ckpt")
# transformers calls its pickles otherwise than its safetensors.
STEMS = {"pytorch_model": "model"}


def convert(source: Path, target: Path) -> tuple[Path, ...]:
    """Copy the model in `source` to the empty folder `target`, pickles rewritten; gives the files that were rewritten.

    A pickle whose safetensors lie beside it is left out.

    Raises:
        ModelError: no pickled weights are there, or one holds more than tensors.
    """
    from safetensors.torch import save_file

    pickles = sorted(file for file in source.rglob("*") if file.suffix in PICKLES)
    if not pickles:
        raise ModelError(f"{source} holds no pickled weights ({', '.join(PICKLES)}): there is nothing to convert.")
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns(*(f"*{s}" for s in PICKLES)))
    written = []
    for pickled in pickles:
        place = target / pickled.relative_to(source)
        place = place.with_name(f"{STEMS.get(place.stem, place.stem)}.safetensors")
        if not place.exists():
            # Tensors that share memory cannot be written as two; a copy of each can.
            save_file({key: value.clone().contiguous() for key, value in read_state(pickled).items()}, place)
            written.append(place)
    return tuple(written)
