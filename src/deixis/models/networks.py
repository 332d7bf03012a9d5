"""Networks of diffusers and transformers out of their folders: local files only, complete or not at all.

Both libraries are imported inside functions: each costs seconds, and asking what a folder is needs neither.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from safetensors import SafetensorError

from deixis.errors import ModelError
from deixis.models.diffusers_files import read_json
from deixis.models.state_dicts import check_pickle, load_strictly, read_state, told_keys

if TYPE_CHECKING:
    import torch
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from transformers import PreTrainedTokenizerBase

# Stems of the weight files, as save_pretrained of either library writes them.
DIFFUSERS, TRANSFORMERS = "diffusion_pytorch_model", "model"
# transformers calls its pickles otherwise than its safetensors.
PICKLED = {DIFFUSERS: DIFFUSERS, TRANSFORMERS: "pytorch_model"}
INFIXES = ("", ".fp16")


def has_weights(folder: Path, stem: str) -> bool:
    """Whether `folder` holds weights of that stem, whole or in shards, as safetensors or pickled."""
    return _variant(folder, stem, ".safetensors") is not None or _variant(folder, PICKLED[stem], ".bin") is not None


def load_network(network: Any, folder: Path, dtype: torch.dtype) -> torch.nn.Module:
    """A network of diffusers in `folder`.

    Raises:
        ModelError: a file is truncated, holds more than tensors, or lacks keys; says which.
    """
    options = _options(folder, DIFFUSERS)
    with faults_told(folder), quiet():
        loaded, info = network.from_pretrained(folder, torch_dtype=dtype, output_loading_info=True, **options)
    return _complete(loaded, info, folder)


def load_clip(network: Any, folder: Path, dtype: torch.dtype) -> torch.nn.Module:
    """A text encoder of CLIP in `folder`, whichever version of transformers wrote it; raises as `load_network` does."""
    from transformers import CLIPTextConfig

    with faults_told(folder), unfilled():
        made: torch.nn.Module = network(CLIPTextConfig(**read_json(folder / "config.json")))
    file = text_weights(folder)
    state = {key: value for key, value in read_state(file).items() if not key.endswith("position_ids")}
    load_strictly(made, state, file, clip_name(made))
    return made.to(dtype)


def clip_name(network: torch.nn.Module) -> Callable[[str], str]:
    """From a key in a file to what this version calls it: older ones keep the layers of CLIP under ``text_model``."""
    known = network.state_dict()

    def named(key: str) -> str:
        names = (key, f"text_model.{key}", key.removeprefix("text_model."))
        return next((name for name in names if name in known), key)

    return named


def text_weights(folder: Path) -> Path:
    """The weights of a text encoder in one file: safetensors before pickles, single precision before half.

    Raises:
        ModelError: there are none.
    """
    names = [f"{TRANSFORMERS}{infix}.safetensors" for infix in INFIXES] + [f"{PICKLED[TRANSFORMERS]}.bin"]
    found = next((folder / name for name in names if (folder / name).is_file()), None)
    if found is None:
        raise ModelError(f"The text encoder in {folder} is incomplete: no {', no '.join(names)}. Copy it anew.")
    return found


def load_t5(folder: Path, dtype: torch.dtype) -> torch.nn.Module:
    """The T5 encoder in `folder`; raises as `load_network` does."""
    from transformers import T5EncoderModel

    options = _options(folder, TRANSFORMERS)
    with faults_told(folder), quiet():
        loaded, info = T5EncoderModel.from_pretrained(
            folder, dtype=dtype, output_loading_info=True, ignore_mismatched_sizes=True, **options
        )
    return _complete(loaded, info, folder)


def load_vae(folder: Path, dtype: torch.dtype) -> AutoencoderKL:
    """The autoencoder in `folder`; one that overflows in half precision, and says so, comes in single."""
    import torch
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    config = read_json(folder / "config.json")
    wanted = torch.float32 if config.get("force_upcast", True) and dtype == torch.float16 else dtype
    return cast("AutoencoderKL", load_network(AutoencoderKL, folder, wanted))


def load_tokenizer(tokenizer: Any, folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer in `folder`; a broken file raises `ModelError`."""
    with faults_told(folder), quiet():
        return cast("PreTrainedTokenizerBase", tokenizer.from_pretrained(folder, local_files_only=True))


@contextmanager
def unfilled() -> Iterator[None]:
    """Networks made in the block have parameters without memory or values: all of them are yet to be assigned."""
    from accelerate import init_empty_weights

    with init_empty_weights(include_buffers=False):
        yield


@contextmanager
def faults_told(folder: Path) -> Iterator[None]:
    """Turn what the libraries raise over a truncated or foreign file into a `ModelError` with the reason."""
    try:
        yield
    # It differs by library and version.
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, ImportError, SafetensorError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(f"The model in {folder} cannot be loaded: {reason} Copy it anew.") from error


@contextmanager
def quiet() -> Iterator[None]:
    """Both libraries log advice while they load, and transformers draws a progress bar; here nobody asked for it."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    levels = diffusers_logging.get_verbosity(), transformers_logging.get_verbosity()
    bars = transformers_logging.is_progress_bar_enabled()
    diffusers_logging.set_verbosity(logging.CRITICAL)
    transformers_logging.set_verbosity(logging.CRITICAL)
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        diffusers_logging.set_verbosity(levels[0])
        transformers_logging.set_verbosity(levels[1])
        if bars:
            transformers_logging.enable_progress_bar()


def _options(folder: Path, stem: str) -> dict[str, Any]:
    """How `from_pretrained` finds the weights: safetensors before pickles, single precision before half."""
    infix = _variant(folder, stem, ".safetensors")
    safe = infix is not None
    if not safe:
        infix = _variant(folder, PICKLED[stem], ".bin")
        for pickled in sorted(folder.glob(f"{PICKLED[stem]}*.bin")):
            check_pickle(pickled)
    return {"variant": (infix or "").removeprefix(".") or None, "use_safetensors": safe, "local_files_only": True}


def _variant(folder: Path, stem: str, suffix: str) -> str | None:
    for infix in INFIXES:
        if any((folder / f"{stem}{name}").is_file() for name in (infix + suffix, f"{suffix}.index{infix}.json")):
            return infix
        if (folder / f"{stem}{infix}{suffix}.index.json").is_file():
            return infix
    return None


def _complete(network: Any, info: Mapping[str, Any], folder: Path) -> torch.nn.Module:
    """The network, if every key of the files met one of its own; both libraries only log what they leave out."""
    differing = [key if isinstance(key, str) else key[0] for key in info.get("mismatched_keys", ())]
    told = told_keys(sorted(info["missing_keys"]), sorted(info["unexpected_keys"]), sorted(differing))
    if told:
        raise ModelError(f"The weights in {folder} do not fit their config.json: {told}. Copy the folder anew.")
    loaded: torch.nn.Module = network
    return loaded
