"""Weights of one file as named tensors, and into a network without leaving anything out."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
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
        content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelError(
            f"{file} is a pickle that holds more than tensors, and opening it could run code: refused. "
            f"({str(error).splitlines()[0]}) Save its state dict as safetensors where you trust it."
        ) from error
    # A truncated file raises whatever its first unreadable part raises: EOFError, RuntimeError, OSError, …
    except (EOFError, OSError, RuntimeError, ValueError, KeyError, SafetensorError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ModelError(f"{file} cannot be read: {reason} Copy it anew.") from error
    return _tensors(content, file)


def _tensors(content: object, file: Path) -> dict[str, Tensor]:
    wrapped = next((content[key] for key in WRAPPERS if isinstance(content, dict) and key in content), content)
    if not isinstance(wrapped, dict) or not all(isinstance(value, Tensor) for value in wrapped.values()):
        raise ModelError(f"{file} holds no state dict, that is, tensors by name. Save model.state_dict() there.")
    return wrapped


def load_strictly(
    network: nn.Module, state: Mapping[str, Tensor], file: Path, rename: Callable[[str], str] = lambda key: key
) -> None:
    """Put all of `state` into `network`, its keys renamed; every key on either side must meet one on the other.

    Raises:
        ModelError: keys are missing, unexpected or of another shape; names the first five and counts them.
    """
    renamed = {rename(key): value for key, value in state.items()}
    own = network.state_dict()
    faults = {
        "missing": [key for key in own if key not in renamed],
        "unexpected": [key for key in renamed if key not in own],
        "of another shape": [key for key in own if key in renamed and own[key].shape != renamed[key].shape],
    }
    told = [_named(fault, keys) for fault, keys in faults.items() if keys]
    if told:
        raise ModelError(f"{file} does not fit its configuration: {'; '.join(told)}. Is it the file of another model?")
    network.load_state_dict(renamed)


def _named(fault: str, keys: Sequence[str]) -> str:
    more = f" and {len(keys) - NAMED} more" if len(keys) > NAMED else ""
    return f"{len(keys)} keys {fault} ({', '.join(keys[:NAMED])}{more})"
