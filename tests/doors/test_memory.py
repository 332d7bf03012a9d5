"""Memory over many groundings."""

import gc
import os
from pathlib import Path

import numpy as np
import pytest

import deixis

PHRASES = ("left pleural effusion", "small opacity in the right lung")


def resident() -> int:
    """Bytes of this process that lie in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's /proc")
def test_memory_stays_flat_over_five_hundred_groundings(tiny_folder):
    """The last four hundred take no more than 2 % above the first: all of one grounding is gone with it."""
    model = deixis.load(tiny_folder, device="cpu")
    rng = np.random.default_rng(0)

    def some(count):
        for index in range(count):
            image = rng.random((96, 128), dtype=np.float32)
            deixis.ground(image, PHRASES[index % 2], model, "best")
        gc.collect()
        return resident()

    warm = some(100)
    assert some(400) < 1.02 * warm
    hooks = sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model._parts.denoiser.module.modules())
    assert hooks == 0
