"""Walked trajectories are kept, in memory and in a folder."""

import numpy as np
import pytest
import torch

from deixis.diffusion.kept import Trajectories
from deixis.types import LatentTrajectory


def trajectory(key, cells=4):
    latents = torch.full((2, 1, cells, cells), float(len(key)))
    return LatentTrajectory(np.array([3, 9], dtype=np.int64), latents, latents[:1], key)


def test_the_limit_of_bytes_holds_and_the_last_used_stay():
    """Each is 128 bytes; two fit."""
    kept = Trajectories(limit=256)
    for key in ("a", "b"):
        kept.put(trajectory(key))
    kept.get("a")
    kept.put(trajectory("c"))
    assert kept.bytes == 256
    assert [kept.get(key) is not None for key in ("a", "b", "c")] == [True, False, True]


def test_a_folder_outlives_the_process(tmp_path):
    """Another object finds equal latents and timesteps there; a damaged file counts as none and is written over."""
    Trajectories(folder=tmp_path / "walks").put(trajectory("abc"))
    found = Trajectories(folder=tmp_path / "walks").get("abc")
    assert torch.equal(found.latents, trajectory("abc").latents)
    assert found.timesteps.tolist() == [3, 9]
    (file,) = (tmp_path / "walks").iterdir()
    file.write_bytes(b"torn")
    again = Trajectories(folder=tmp_path / "walks")
    assert again.get("abc") is None
    again.put(trajectory("abc"))
    assert Trajectories(folder=tmp_path / "walks").get("abc") is not None


@pytest.mark.parametrize("folder", [None, "walks"])
def test_what_was_never_put_is_not_found(tmp_path, folder):
    """None, not an error."""
    assert Trajectories(folder=folder and tmp_path / folder).get("x") is None


def test_latents_of_any_layout_are_kept(tmp_path):
    """Channels last, and a clean latent that is a view of the others."""
    latents = torch.rand(2, 3, 4, 4).to(memory_format=torch.channels_last)
    one = LatentTrajectory(np.array([3, 9], dtype=np.int64), latents, latents[:1], "key")
    Trajectories(folder=tmp_path).put(one)
    again = Trajectories(folder=tmp_path).get("key")
    assert torch.equal(again.latents, latents)
    assert torch.equal(again.clean, latents[:1])
