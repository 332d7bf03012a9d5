"""Kept trajectories: an image that was walked once is not walked again, in this process or, with a folder, in the next.

What is kept are latents, from which an image can be rebuilt: a folder of them deserves the care of the images.
"""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from deixis.types import LatentTrajectory

MEBIBYTE = 2**20


class Trajectories:
    """Trajectories by their keys (hash of image, model, walk and seed), the latest used kept longest.

    Args:
        limit: bytes in memory; older ones leave when it is reached.
        folder: where they are kept beyond the process, one file each; None keeps them in memory alone.
    """

    def __init__(self, limit: int = 64 * MEBIBYTE, folder: Path | None = None) -> None:
        self._limit, self._folder = limit, folder
        self._held: OrderedDict[str, LatentTrajectory] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    @property
    def bytes(self) -> int:
        """What is held in memory."""
        return sum(_size(one) for one in self._held.values())

    def get(self, key: str) -> LatentTrajectory | None:
        """The trajectory of that key, or None; a damaged file counts as none."""
        if key in self._held:
            self._held.move_to_end(key)
            return self._held[key]
        found = None if self._folder is None else _opened(self._folder / f"{key}.safetensors", key)
        if found is not None:
            self._hold(found)
        return found

    def put(self, trajectory: LatentTrajectory) -> None:
        """Keep one."""
        self._hold(trajectory)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            target = self._folder / f"{trajectory.key}.safetensors"
            aside = target.with_suffix(".part")
            steps = torch.from_numpy(np.asarray(trajectory.timesteps, np.int64))
            # Copies: tensors that share memory, or lie channels last, are refused by the format.
            copied = {name: _copied(getattr(trajectory, name)) for name in ("latents", "clean")}
            save_file({**copied, "timesteps": steps}, aside)
            aside.replace(target)

    def _hold(self, trajectory: LatentTrajectory) -> None:
        self._held[trajectory.key] = trajectory
        self._held.move_to_end(trajectory.key)
        while len(self._held) > 1 and self.bytes > self._limit:
            self._held.popitem(last=False)


def _copied(latents: torch.Tensor) -> torch.Tensor:
    return latents.cpu().clone(memory_format=torch.contiguous_format)


def _opened(file: Path, key: str) -> LatentTrajectory | None:
    try:
        content = load_file(file)
        return LatentTrajectory(
            np.asarray(content["timesteps"].numpy(), np.int64), content["latents"], content["clean"], key
        )
    # What cannot be read is walked anew, and written over.
    except (OSError, SafetensorError, KeyError, ValueError):
        return None


def _size(trajectory: LatentTrajectory) -> int:
    return int(trajectory.latents.numel() * trajectory.latents.element_size())
