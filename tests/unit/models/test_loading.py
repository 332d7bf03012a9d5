"""Families, devices and memory."""

from importlib.metadata import EntryPoint

import pytest
import torch

import deixis.registry
from deixis.errors import ModelError, ResourceError
from deixis.ground import ground
from deixis.models.loading import FAMILIES, choose_device, load
from deixis.models.memory import within_memory
from deixis.types import Box
from planted_model import PlantedModel


class PlantedFamily:
    """What another package would bring: a file tells its folders."""

    def recognises(self, folder):
        return (folder / "planted.txt").exists()

    def load(self, folder, label, placing):
        return PlantedModel(Box(0, 0, 64, 64), name=label.name)


PLANTED = PlantedFamily()


@pytest.fixture
def plugged(monkeypatch):
    """An installed package with a family of its own."""
    point = EntryPoint("planted", f"{__name__}:PLANTED", "deixis.models")
    monkeypatch.setattr(deixis.registry, "entry_points", lambda group: [point] if group == "deixis.models" else [])


def test_a_family_of_another_package_is_loaded_by_the_same_door(plugged, tmp_path, grey):
    """It is listed, recognises its folder, and its model is grounded with."""
    (tmp_path / "planted.txt").touch()
    assert "planted" in FAMILIES
    model = load(tmp_path)
    assert ground(grey, "effusion", model)[0].provenance.model == tmp_path.name


def test_reduced_precision_still_answers_in_single(tiny_folder, tiny_model):
    """bfloat16 weights, float32 latents and noise, close to the float32 answer."""
    reduced = load(tiny_folder, device="cpu", dtype=torch.bfloat16)
    latent = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    asked = latent, torch.tensor([500])
    answer = reduced.noise(*asked, reduced.embed(["left lung"]))
    assert answer.dtype == torch.float32
    torch.testing.assert_close(answer, tiny_model.noise(*asked, tiny_model.embed(["left lung"])), rtol=0.1, atol=0.1)
    assert reduced.encode(torch.rand(1, 1, 128, 128)).dtype == torch.float32


def test_auto_takes_what_is_there():
    """A GPU where there is one, else the CPU."""
    expected = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else torch.device("cpu")
    assert choose_device("auto") == expected
    assert choose_device("cpu") == torch.device("cpu")


def test_an_absent_device_is_an_error():
    """With torch's reason in one line."""
    with pytest.raises(ModelError, match=r"abacus.*auto"):
        choose_device("abacus")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("DefaultCPUAllocator: can't allocate memory"),
    ],
)
def test_running_out_of_memory_says_what_to_do(error):
    """Whichever allocator complained."""
    with pytest.raises(ResourceError, match="smaller batch"), within_memory(16):
        raise error


def test_other_errors_pass():
    """A bug is not out of memory."""
    with pytest.raises(RuntimeError, match="shape"), within_memory(16):
        raise RuntimeError("shape mismatch")
