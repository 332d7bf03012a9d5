"""LoRA adapters: small differences of weights from a folder or file, folded into a network before it is read.

diffusers and peft (extra `lora`) know the styles of keys; folded in, the layers are plain ones again, and a tap or an
evaluation costs what it did. An adapter of which a part fits nowhere is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from deixis.errors import ModelError
from deixis.models.networks import faults_told, quiet
from deixis.models.state_dicts import NAMED, check_pickle

# As diffusers' training scripts name the file in a folder.
FILES = ("pytorch_lora_weights.safetensors", "pytorch_lora_weights.bin")
TEXTS = ("text_encoder", "text_encoder_2")
# What marks one of the two matrices of a layer, in the styles that diffusers hands on.
DOWN = ("lora_A.", "lora.down.", "lora_linear_layer.down.")


def adapt_denoiser(network: nn.Module, prefix: str, adapters: Sequence[Path]) -> None:
    """Fold into a "unet" or "transformer" what each adapter says of it; see `adapt_text`."""
    for place in adapters:
        adapter = _read(place)
        _check_prefixes(adapter, place, (prefix, *TEXTS))
        if adapter.layers(prefix):
            with faults_told(place), quiet():
                network.load_lora_adapter(  # type: ignore[operator]
                    adapter.state, prefix=prefix, network_alphas=adapter.alphas, metadata=adapter.said_of(prefix)
                )
            _fold(network, adapter.layers(prefix), place)


def adapt_text(network: nn.Module, prefix: str, adapters: Sequence[Path]) -> None:
    """Fold into a text encoder what each adapter says of it; one that says nothing of it changes nothing.

    Raises:
        ModelError: peft is not installed, the file is broken, or a part of it fits no layer.
    """
    for place in adapters:
        adapter = _read(place).named_for(network, prefix)
        if adapter.layers(prefix):
            from diffusers.loaders.lora_pipeline import StableDiffusionLoraLoaderMixin

            with faults_told(place), quiet():
                StableDiffusionLoraLoaderMixin.load_lora_into_text_encoder(
                    adapter.state, adapter.alphas, network, prefix, metadata=adapter.said_of(prefix)
                )
            _fold(network, adapter.layers(prefix), place)


@dataclass(frozen=True)
class Adapter:
    """What a LoRA file holds.

    Args:
        state: tensors in diffusers' style of keys.
        alphas: scales by layer, where the file's style keeps them apart.
        metadata: peft's configuration, where the file says it.
    """

    state: Mapping[str, Tensor]
    alphas: Mapping[str, float] | None
    metadata: Mapping[str, Any] | None

    def layers(self, prefix: str) -> int:
        """How many layers of a part it changes."""
        return sum(key.startswith(f"{prefix}.") and any(down in key for down in DOWN) for key in self.state)

    def named_for(self, network: nn.Module, prefix: str) -> Adapter:
        """The same with a text encoder's layers called as this version of transformers calls them.

        Older versions keep them under ``text_model``, newer ones do not; files come from both.
        """
        longer, inner = f"{prefix}.text_model.", hasattr(network, "text_model")

        def renamed(key: str) -> str:
            if inner and key.startswith(f"{prefix}.") and not key.startswith(longer):
                return longer + key.removeprefix(f"{prefix}.")
            return key if inner or not key.startswith(longer) else f"{prefix}.{key.removeprefix(longer)}"

        alphas = None if self.alphas is None else {renamed(key): value for key, value in self.alphas.items()}
        return replace(self, state={renamed(key): value for key, value in self.state.items()}, alphas=alphas)

    def said_of(self, prefix: str) -> Mapping[str, Any] | None:
        """The metadata, if it says anything of a part; half a configuration would be taken for a whole one."""
        told = self.metadata or {}
        return told if any(key.startswith(f"{prefix}.") for key in told) else None


def _read(place: Path) -> Adapter:
    from diffusers.loaders.lora_pipeline import StableDiffusionLoraLoaderMixin

    try:
        import peft  # noqa: F401
    except ImportError as error:
        raise ModelError(f"{place} is a LoRA: pip install 'deixis[lora]' to read it. ({error})") from error
    file = adapter_file(place)
    safe = file.suffix == ".safetensors"
    if not safe:
        check_pickle(file)
    with faults_told(place), quiet():
        read = StableDiffusionLoraLoaderMixin.lora_state_dict(
            str(file.parent), weight_name=file.name, local_files_only=True, use_safetensors=safe,
            return_lora_metadata=True,
        )  # fmt: skip
    return Adapter(*read)


def adapter_file(place: Path) -> Path:
    """The weights of an adapter given as a folder or a file; where there are none, `ModelError`."""
    if place.is_file():
        return place
    found = [place / name for name in FILES if (place / name).is_file()] or sorted(place.glob("*.safetensors"))
    if len(found) != 1 and not (found and found[0].name in FILES):
        raise ModelError(f"{place} is no LoRA folder: it holds neither {FILES[0]} nor a single .safetensors file.")
    return found[0]


def _check_prefixes(adapter: Adapter, place: Path, known: Sequence[str]) -> None:
    strange = [key for key in adapter.state if not key.startswith(tuple(f"{prefix}." for prefix in known))]
    if strange:
        more = f" and {len(strange) - NAMED} more" if len(strange) > NAMED else ""
        raise ModelError(
            f"The LoRA {place} changes layers of another model: {', '.join(strange[:NAMED])}{more}. This one has parts "
            f"{', '.join(known)}."
        )


def _fold(network: Any, wanted: int, place: Path) -> None:
    """Add the differences to the weights, and take peft's layers away; what was not placed is an error."""
    from diffusers.utils.peft_utils import recurse_remove_peft_layers
    from peft.tuners.tuners_utils import BaseTunerLayer

    layers = [module for module in network.modules() if isinstance(module, BaseTunerLayer)]
    if len(layers) != wanted:
        raise ModelError(f"The LoRA {place} changes {wanted} layers, and {len(layers)} of them are in this model.")
    for layer in layers:
        layer.merge()
    recurse_remove_peft_layers(network)
    for trace in ("peft_config", "_hf_peft_config_loaded"):
        if hasattr(network, trace):
            delattr(network, trace)
