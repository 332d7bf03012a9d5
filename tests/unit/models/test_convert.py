"""Pickled weights rewritten as safetensors."""

import pytest
import torch
from safetensors.torch import load_file

from deixis.errors import ModelError
from deixis.models.convert import convert


def test_tensors_that_share_memory_become_two(tmp_path):
    """safetensors refuses shared memory; the copy holds both."""
    shared = torch.ones(3)
    (tmp_path / "a" / "unet").mkdir(parents=True)
    torch.save({"x": shared, "y": shared}, tmp_path / "a" / "unet" / "pytorch_model.bin")
    (tmp_path / "a" / "config.json").write_text("{}")
    (written,) = convert(tmp_path / "a", tmp_path / "b")
    assert written == tmp_path / "b" / "unet" / "model.safetensors"
    assert set(load_file(written)) == {"x", "y"}
    assert (tmp_path / "b" / "config.json").exists()


def test_nothing_to_convert_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="nothing to convert"):
        convert(tmp_path, tmp_path / "b")
