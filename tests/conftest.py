"""What all tests share: no network, annotations checked at run time, a tiny random model, plain images."""

import os
import socket
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"

import hypothesis
import jaxtyping
import numpy as np
import pytest

# Array annotations of these modules are checked on every call; the floor's types name torch for type checkers only.
CHECKED = [
    "deixis.geometry",
    "deixis.diffusion",
    "deixis.maps",
    "deixis.models.prediction",
    "deixis.models.listening",
    "deixis.models.composed",
    "deixis.models.monai_ldm",
    "deixis.models.counted",
    "deixis.ground",
    "deixis.images",
    "deixis.writers",
    "deixis.metrics",
]
jaxtyping.install_import_hook(CHECKED, "checking.checked")

# Property tests repeat by seed, not by a store of past failures, and a shared core is no failure.
hypothesis.settings.register_profile("deixis", database=None, deadline=None)
hypothesis.settings.load_profile("deixis")

LOCAL = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def _no_network():
    """A connection that leaves this machine is an error; doors talk to servers on the loopback."""
    connect = socket.socket.connect

    def guarded(self, address):
        if isinstance(address, tuple) and address[0] not in LOCAL:
            raise RuntimeError(f"a test reached for the network: {address}")
        return connect(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", guarded)
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def _own_caches(monkeypatch, tmp_path_factory):
    """Nothing a test does reaches the home of whoever runs it."""
    home = tmp_path_factory.getbasetemp() / "home"
    for variable in ("HOME", "XDG_CACHE_HOME", "HF_HOME"):
        monkeypatch.setenv(variable, str(home))
    monkeypatch.delenv("DEIXIS_MODELS", raising=False)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory) -> Path:
    """A Stable Diffusion folder as `save_pretrained` writes it: random weights, 128 px, sites on 8×8 and 4×4."""
    from tiny_model import write_tiny_model

    return write_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="session")
def tiny_model(tiny_folder):
    """The tiny model, loaded on the CPU; tests leave it as they find it."""
    from deixis.models.loading import load

    return load(tiny_folder, device="cpu")


@pytest.fixture
def grey() -> np.ndarray:
    """A smooth, non-square picture [150 200] in [0, 1]."""
    ys, xs = np.mgrid[0:150, 0:200]
    return (0.5 + 0.25 * np.sin(ys / 17) + 0.25 * np.cos(xs / 23)).astype(np.float32)
