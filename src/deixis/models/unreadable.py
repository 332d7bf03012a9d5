"""Why a model that is plainly a diffusion model cannot be read."""

from __future__ import annotations

from pathlib import Path

from deixis.models.diffusers_files import INDEX, class_names

READABLE = "Stable Diffusion 1, 2 and XL, models under BERT encoders on their UNet, PixArt-Σ, MONAI's bundles"
# Image and text in one attention: its softmax runs over pixels and words alike, none runs over a text alone.
JOINT = (
    "SD3Transformer2DModel",
    "FluxTransformer2DModel",
    "Flux2Transformer2DModel",
    "AuraFlowTransformer2DModel",
    "QwenImageTransformer2DModel",
    "Lumina2Transformer2DModel",
    "HiDreamImageTransformer2DModel",
    "ChromaTransformer2DModel",
    "ZImageTransformer2DModel",
)


def why_not(place: Path) -> str:
    """A sentence, with a space behind it, where the files tell; else ""."""
    if not (place / INDEX).is_file():
        return ""
    named = class_names(place)
    denoiser = named.get("transformer") or named.get("unet") or named.get("prior")
    if denoiser in JOINT:
        return (
            f"Its {denoiser} attends to image and text jointly, in one softmax, so it has no cross-attention over the "
            f"text to read. Families that can be read: {READABLE}. "
        )
    if denoiser is not None:
        return f"Its denoiser is a {denoiser}. Families that can be read: {READABLE}. "
    return ""
