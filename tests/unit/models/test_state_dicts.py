"""Weights of one file: read without running anything, put into a network without leaving anything out."""

import pytest
import torch
from safetensors.torch import save_file

from deixis.errors import ModelError
from deixis.models.state_dicts import load_strictly, read_state


@pytest.fixture
def state():
    return {"weight": torch.arange(6.0).reshape(2, 3), "bias": torch.zeros(2)}


@pytest.mark.parametrize("wrapper", [None, "state_dict", "model"])
def test_pickles_of_tensors_are_read(tmp_path, state, wrapper):
    """Bare, or under the keys that training code wraps them in."""
    torch.save(state if wrapper is None else {wrapper: state, "epoch": 3}, tmp_path / "w.pth")
    assert torch.equal(read_state(tmp_path / "w.pth")["weight"], state["weight"])


def test_safetensors_are_read(tmp_path, state):
    save_file(state, tmp_path / "w.safetensors")
    assert torch.equal(read_state(tmp_path / "w.safetensors")["weight"], state["weight"])


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_what_is_no_weight_file_is_an_error(tmp_path, name):
    (tmp_path / name).write_bytes(b"<html>not found</html>")
    with pytest.raises(ModelError, match=name):
        read_state(tmp_path / name)


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}])
def test_a_file_without_tensors_by_name_is_an_error(tmp_path, content):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(ModelError, match="no state dict"):
        read_state(tmp_path / "w.pth")


def test_keys_are_renamed_on_the_way(tmp_path, state):
    network = torch.nn.Linear(3, 2)
    old = {f"old_{key}": value for key, value in state.items()}
    load_strictly(network, old, tmp_path / "w.pth", lambda key: key.removeprefix("old_"))
    assert torch.equal(network.weight, state["weight"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda s: {"weight": s["weight"]}, r"1 keys missing \(bias\)"),
        (lambda s: {**s, "more": s["bias"]}, r"1 keys unexpected \(more\)"),
        (lambda s: {**s, "bias": torch.zeros(5)}, r"1 keys of another shape \(bias\)"),
    ],
)
def test_whatever_does_not_meet_is_an_error_and_changes_nothing(tmp_path, state, change, told):
    network = torch.nn.Linear(3, 2)
    before = network.weight.clone()
    with pytest.raises(ModelError, match=told):
        load_strictly(network, change(state), tmp_path / "w.pth")
    assert torch.equal(network.weight, before)
