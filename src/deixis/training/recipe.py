"""From phantoms to a diffusers folder: tokenizer, text encoder, autoencoder, denoiser, in this order."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8

from deixis.datasets.phantom import sample_phrases, scene
from deixis.errors import OutputError
from deixis.training.autoencoder import AutoencoderPlan, encode_corpus, train_autoencoder
from deixis.training.corpus import Corpus, draw_corpus
from deixis.training.ldm import DenoiserPlan, Latents, new_schedule, train_denoiser
from deixis.training.text_encoder import TextEncoderPlan, train_text_encoder
from deixis.training.tokenizer import learn_tokenizer

# Test phantoms begin here; training must end below the validation phantoms.
VALIDATION_SEED, TEST_SEED = 900_000, 1_000_000


@dataclass(frozen=True)
class TrainingPlan:
    """Everything that makes a small latent diffusion model of phantoms; the same plan gives the same model.

    Args:
        images: how many phantoms are drawn.
        first_seed: seed of the first one.
        size: side of an image in pixels, a multiple of 32.
        tokens: how many tokens a text may have, begin and end included.
        text: the text encoder.
        autoencoder: the first stage.
        denoiser: the second stage.
    """

    images: int = 16_000
    first_seed: int = 0
    size: int = 256
    tokens: int = 48
    text: TextEncoderPlan = field(default_factory=TextEncoderPlan)
    autoencoder: AutoencoderPlan = field(default_factory=AutoencoderPlan)
    denoiser: DenoiserPlan = field(default_factory=DenoiserPlan)


def train(plan: TrainingPlan, folder: Path, *, device: str = "cpu") -> Path:
    """Train, or go on with, a model in `folder`; gives the diffusers folder ``folder/model``.

    Raises:
        OutputError: `folder` holds a training of another plan, or seeds reach those kept for validation and test.
    """
    _claim(plan, folder)
    seeds = range(plan.first_seed, plan.first_seed + plan.images)
    tokenizer = learn_tokenizer((text for text, _ in sample_phrases(20_000, plan.text.seed)), tokens=plan.tokens)
    encoder = train_text_encoder(plan.text, tokenizer, sample_phrases, folder)
    corpus = draw_corpus(draw_phantom, seeds, plan.size, folder / "corpus")
    autoencoder = train_autoencoder(plan.autoencoder, corpus, folder, device)
    latents = _latents(autoencoder, corpus, folder, device)
    denoiser = train_denoiser(plan.denoiser, latents, (tokenizer, encoder), folder, device)
    target = folder / "model"
    save_pipeline(target, tokenizer, encoder, autoencoder, denoiser)
    return target


def draw_phantom(seed: int, size: int) -> tuple[UInt8[np.ndarray, "y x"], list[str]]:
    """Pixels and phrases of one phantom; one it draws with its phrases only, the truth stays behind."""
    drawn = scene(seed, size)
    return np.round(drawn.pixels * 255).astype(np.uint8), [phrase.text for phrase in drawn.phrases]


def save_pipeline(folder: Path, tokenizer, encoder, autoencoder, denoiser) -> None:  # type: ignore[no-untyped-def]
    """A plain Stable Diffusion folder, half precision, that `StableDiffusionPipeline.from_pretrained` loads."""
    aside = folder.with_name(folder.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    tokenizer.save_pretrained(aside / "tokenizer")
    new_schedule().save_pretrained(aside / "scheduler")
    for name, part in (("text_encoder", encoder), ("vae", autoencoder), ("unet", denoiser)):
        part.to("cpu", torch.float16).save_pretrained(aside / name, safe_serialization=True)
    index = {
        "_class_name": "StableDiffusionPipeline",
        "requires_safety_checker": False,
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
        "safety_checker": [None, None],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (aside / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    aside.rename(folder)


def _claim(plan: TrainingPlan, folder: Path) -> None:
    last = plan.first_seed + plan.images
    if last > VALIDATION_SEED:
        raise OutputError(
            f"Training seeds {plan.first_seed} to {last} reach those kept for validation ({VALIDATION_SEED} and up) "
            "and test. Draw fewer images or start lower."
        )
    folder.mkdir(parents=True, exist_ok=True)
    written, said = folder / "plan.json", json.dumps(asdict(plan), indent=2) + "\n"
    if written.exists() and written.read_text(encoding="utf-8") != said:
        raise OutputError(f"{folder.name} holds a training of another plan (plan.json). Choose another folder.")
    written.write_text(said, encoding="utf-8")


def _latents(autoencoder, corpus: Corpus, folder: Path, device: str) -> Latents:  # type: ignore[no-untyped-def]
    """All latents, scaled; kept on disk, since encoding takes minutes."""
    kept = folder / "latents.pt"
    if kept.exists():
        values = torch.load(kept, weights_only=True)
    else:
        scale = autoencoder.config.scaling_factor
        values = (encode_corpus(autoencoder, corpus, device=device).float() * scale).half()
        torch.save(values, kept)
    return Latents(values, corpus.phrases)
