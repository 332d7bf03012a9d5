"""LoRA adapters: small differences of weights from a folder or file, folded into a network before it is read.

diffusers knows the styles of keys; the folding itself is one product per layer (Hu et al., arXiv 2106.09685, section
4.1), so that the layers stay plain ones, and a tap or an evaluation costs what it did. An adapter of which a part fits
nowhere is an error.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from deixis.errors import ModelError
from deixis.models.networks import clip_name, faults_told, quiet
from deixis.models.state_dicts import NAMED, key_names

# As diffusers' training scripts name the file in a folder.
FILES = ("pytorch_lora_weights.safetensors", "pytorch_lora_weights.bin")
TEXTS = ("text_encoder", "text_encoder_2")
# A layer's name and which of its two matrices a key holds, in the styles that diffusers hands on.
KEY = re.compile(r"(.+?)(?:\.lora_linear_layer|\.lora|_lora)?\.(lora_A|lora_B|down|up)\.weight")
DOWN = ("lora_A", "down")
# What the oldest of these styles calls the layers of CLIP.
OLD_CLIP = {"to_q": "q_proj", "to_k": "k_proj", "to_v": "v_proj", "to_out": "out_proj"}
SAID = ("r", "lora_alpha", "use_rslora", "use_dora", "rank_pattern", "alpha_pattern")


@dataclass(frozen=True)
class Difference:
    """What an adapter adds to one layer: ``up · down · scale``.

    Args:
        down: from the layer's input to the rank; of a convolution ``[rank channel y x]``.
        up: from the rank to its output.
        alpha: the adapter's strength; None where it is the rank.
    """

    down: Float[Tensor, "rank width ..."]
    up: Float[Tensor, "height rank ..."]
    alpha: float | None = None

    def of_shape(self, shape: torch.Size) -> Tensor:
        """The difference itself, as a weight of that shape."""
        rank = len(self.down)
        product = self.up.float().flatten(1) @ self.down.float().flatten(1)
        return product.reshape(shape) * ((rank if self.alpha is None else self.alpha) / rank)


def adapt_denoiser(network: nn.Module, prefix: str, adapters: Sequence[Path]) -> None:
    """Fold into a "unet" or "transformer" what each adapter says of it; see `adapt_text`."""
    for place in adapters:
        state, _, _ = read = _read(place)
        strange = [key for key in state if not key.startswith(tuple(f"{known}." for known in (prefix, *TEXTS)))]
        if strange:
            raise ModelError(
                f"The LoRA {place} changes layers of another model: {_first(strange)}. This one has parts "
                f"{', '.join((prefix, *TEXTS))}."
            )
        _fold(network, _differences(read, prefix, place, _denoiser_layer), place)


def adapt_text(network: nn.Module, prefix: str, adapters: Sequence[Path]) -> None:
    """Fold into a text encoder what each adapter says of it; one that says nothing of it changes nothing.

    Raises:
        ModelError: the file is broken, of a kind that cannot be folded, or a part of it fits no layer.
    """
    named = clip_name(network)
    for place in adapters:
        _fold(network, _differences(_read(place), prefix, place, lambda name: _clip_layer(named, name)), place)


def adapter_file(place: Path) -> Path:
    """The weights of an adapter given as a folder or a file; where there are none, `ModelError`."""
    if place.is_file():
        return place
    found = [place / name for name in FILES if (place / name).is_file()] or sorted(place.glob("*.safetensors"))
    if not found or (len(found) > 1 and found[0].name not in FILES):
        raise ModelError(f"{place} is no LoRA folder: it holds neither {FILES[0]} nor a single .safetensors file.")
    return found[0]


Read = tuple[Mapping[str, Tensor], Mapping[str, float], Mapping[str, Any]]


def _read(place: Path) -> Read:
    """Tensors in diffusers' style of keys, strengths that other styles keep beside them, and what the file says."""
    from diffusers.loaders.lora_pipeline import StableDiffusionLoraLoaderMixin

    file = adapter_file(place)
    safe = file.suffix == ".safetensors"
    if any("dora_scale" in key for key in key_names(file)):
        raise ModelError(f"The LoRA {place} is a DoRA, which deixis does not fold in: it rescales the weights too.")
    with faults_told(place), quiet():
        state, alphas, metadata = StableDiffusionLoraLoaderMixin.lora_state_dict(
            str(file.parent), weight_name=file.name, local_files_only=True, use_safetensors=safe,
            return_lora_metadata=True,
        )  # fmt: skip
    return state, alphas or {}, metadata or {}


def _differences(read: Read, prefix: str, place: Path, named: Callable[[str], str]) -> dict[str, Difference]:
    """What an adapter adds to each layer of one part, by the layer's name there."""
    state, alphas, metadata = read
    said = {name: metadata.get(f"{prefix}.{name}") for name in SAID}
    if said["use_dora"] or said["use_rslora"]:
        raise ModelError(f"The LoRA {place} is a DoRA or rank-stabilised one, which deixis does not fold in.")
    halves: dict[str, dict[bool, Tensor]] = {}
    strengths = {}
    for key, value in state.items():
        found = KEY.fullmatch(key.removeprefix(f"{prefix}.")) if key.startswith(f"{prefix}.") else None
        if found is not None:
            layer = named(found[1])
            halves.setdefault(layer, {})[found[2] in DOWN] = value
            strengths[layer] = _strength(key, found[1], prefix, alphas, said)
    own = [key for key in state if key.startswith(f"{prefix}.")]
    if 2 * len(halves) != len(own) or any(len(pair) != 2 for pair in halves.values()):
        raise ModelError(f"The LoRA {place} holds keys of a kind that deixis does not fold in: {_first(own)}.")
    return {layer: Difference(pair[True], pair[False], strengths[layer]) for layer, pair in halves.items()}


def _strength(key: str, layer: str, prefix: str, alphas: Mapping[str, float], said: Mapping[str, Any]) -> float | None:
    """α of a layer: beside its tensors, or in what the file says of all."""
    for name in (f"{prefix}.{layer}.alpha", f"{key}.alpha", f"{key.replace('.up.', '.down.')}.alpha"):
        if name in alphas:
            return float(alphas[name])
    pattern = said["alpha_pattern"] or {}
    own = next((value for name, value in pattern.items() if re.search(rf"(^|\.){name}$", layer)), said["lora_alpha"])
    return None if own is None else float(own)


def _denoiser_layer(layer: str) -> str:
    """A layer of a denoiser; the oldest style of keys spells its output without the list that it stands in."""
    plain = layer.replace(".processor.", ".")
    return f"{plain}.0" if plain.endswith(".to_out") else plain


def _clip_layer(named: Callable[[str], str], layer: str) -> str:
    """A layer of CLIP as this version of transformers calls it."""
    before, _, last = layer.rpartition(".")
    return named(f"{before}.{OLD_CLIP.get(last, last)}.weight").removesuffix(".weight")


@torch.no_grad()
def _fold(network: nn.Module, differences: Mapping[str, Difference], place: Path) -> None:
    """Add every difference to its layer; one that has no layer, or another shape, is an error and changes nothing."""
    weights = {name.removesuffix(".weight"): value for name, value in network.named_parameters()}
    added = {}
    for layer, difference in differences.items():
        weight = weights.get(layer)
        if weight is None or len(weight) != len(difference.up) or weight[0].numel() != difference.down[0].numel():
            raise ModelError(
                f"The LoRA {place} changes {len(differences)} layers, and {layer} is not in this model, or of another "
                "shape. Was it made for another one?"
            )
        added[layer] = difference.of_shape(weight.shape)
    for layer, change in added.items():
        weight = weights[layer]
        # In single precision: a half one would round small differences away.
        weight.copy_((weight.float() + change.to(weight.device)).to(weight.dtype))


def _first(keys: Sequence[str]) -> str:
    return ", ".join(keys[:NAMED]) + (f" and {len(keys) - NAMED} more" if len(keys) > NAMED else "")
