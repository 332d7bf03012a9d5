"""Weights of one file as named tensors, and into a network without leaving anything out."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable, Mapping, Sequence
from numbers import Number
from pathlib import Path

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from deixis.errors import ModelError

# How many of the offending keys an error names.
NAMED = 5
# Under these keys training code wraps a state dict.
WRAPPERS = ("state_dict", "model")


def read_state(file: Path) -> dict[str, Tensor]:
    """Tensors by name from a ``.safetensors`` file, or from a pickle that holds nothing but tensors.

    A pickle is opened with ``weights_only=True``: what would need code to be run is refused.

    Raises:
        ModelError: the file is truncated, or a pickle that needs more than tensors.
    """
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(file)
    # A truncated file raises whatever its first unreadable part raises.
    except (OSError, SafetensorError) as error:
        raise _unreadable(file, error) from error
    return _tensors(_unpickled(file), file)


def key_names(file: Path) -> set[str]:
    """Names of the tensors in a file, without reading them; raises as `read_state` does."""
    if file.suffix != ".safetensors":
        return set(read_state(file))
    from safetensors import safe_open

    try:
        with safe_open(file, framework="pt") as opened:
            return set(opened.keys())
    except (OSError, SafetensorError) as error:
        raise _unreadable(file, error) from error


def check_pickle(file: Path) -> None:
    """Raise `ModelError` where a pickle is truncated or holds more than tensors; its tensors are not read."""
    _unpickled(file)


def _unpickled(file: Path) -> object:
    try:
        # Mapped, a file's tensors take no memory before they are used; only zip archives, of torch 1.6 on, can be.
        return torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{file} is a pickle that holds more than tensors, and opening it could run code: refused. "
            f"({str(error).splitlines()[0]}) Save its state dict as safetensors where you trust it."
        ) from error
    except (EOFError, OSError, RuntimeError, ValueError, KeyError) as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> ModelError:
    reason = (str(error).splitlines() or [type(error).__name__])[0]
    return ModelError(f"{file} cannot be read: {reason} Copy it anew.")


def _tensors(content: object, file: Path) -> dict[str, Tensor]:
    wrapped = next((content[key] for key in WRAPPERS if isinstance(content, dict) and key in content), content)
    held = wrapped if isinstance(wrapped, dict) else {}
    # Some trainings count steps among the weights.
    tensors = {key: value for key, value in held.items() if isinstance(value, Tensor)}
    if not tensors or not all(isinstance(value, Tensor | Number) for value in held.values()):
        raise ModelError(f"{file} holds no state dict, that is, tensors by name. Save model.state_dict() there.")
    return tensors


def load_strictly(
    network: nn.Module, state: Mapping[str, Tensor], file: Path, rename: Callable[[str], str] = lambda key: key
) -> None:
    """Put all of `state` into `network`, its keys renamed; every key on either side must meet one on the other.

    Raises:
        ModelError: keys are missing, unexpected or of another shape; names the first five and counts them.
    """
    renamed = {rename(key): value for key, value in state.items()}
    own = network.state_dict()
    told = told_keys(
        [key for key in own if key not in renamed],
        [key for key in renamed if key not in own],
        [key for key in own if key in renamed and own[key].shape != renamed[key].shape],
    )
    if told:
        raise ModelError(f"{file} does not fit its configuration: {told}. Is it the file of another model?")
    # Assigned, so that a large network is in memory once; cloned, for a tensor that is mapped from a file lies where it
    # lies there, and kernels answer a last bit otherwise at another alignment.
    network.load_state_dict({key: renamed[key].clone() for key in own}, assign=True)


def told_keys(missing: Sequence[str], unexpected: Sequence[str], differing: Sequence[str]) -> str:
    """Which keys do not fit, the first five of each kind by name; "" where all do."""
    faults = {"missing": missing, "unexpected": unexpected, "of another shape": differing}
    return "; ".join(_named(fault, keys) for fault, keys in faults.items() if keys)


def _named(fault: str, keys: Sequence[str]) -> str:
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return f"{len(keys)} keys {fault} ({', '.join(keys[:NAMED])}{more})"
