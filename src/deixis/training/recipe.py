"""From phantoms to a diffusers folder: tokenizer, text encoder, autoencoder, denoiser, in this order."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from jaxtyping import UInt8
from transformers.models.clip.modeling_clip import CLIPTextModel
from transformers.models.clip.tokenization_clip import CLIPTokenizer

from deixis.datasets.phantom import VALIDATION_SEED, sample_phrases, scene
from deixis.errors import OutputError
from deixis.models.catalog import LABEL_FILE
from deixis.models.finding import find
from deixis.training.autoencoder import encode_corpus, train_autoencoder
from deixis.training.card import LABEL, model_card
from deixis.training.corpus import Corpus, draw_corpus, keep_corpus, open_corpus, read_set
from deixis.training.ldm import Latents, new_schedule, train_denoiser
from deixis.training.plan import TrainingPlan
from deixis.training.text_encoder import train_text_encoder
from deixis.training.tokenizer import learn_tokenizer


def train(plan: TrainingPlan, folder: Path, *, device: str = "cpu", data: Path | None = None) -> Path:
    """Train, or go on with, a model in `folder`; gives the diffusers folder ``folder/model``.

    With `data`, a folder that `deixis phantom` wrote, its images and phrases are taken instead of drawing new ones.

    Raises:
        OutputError: `folder` holds a training of another plan, or seeds reach those kept for validation and test.
    """
    _claim(plan, folder)
    start = open_pipeline(find(plan.start)) if plan.start else None
    tokenizer, encoder = _text(plan, folder) if start is None else (start.tokenizer, start.text_encoder)
    corpus = _corpus(plan, folder / "corpus", data)
    autoencoder = train_autoencoder(plan.autoencoder, corpus, folder, device, start=start and start.vae)
    latents = _latents(autoencoder, corpus, folder, device)
    text = tokenizer, encoder
    denoiser = train_denoiser(plan.denoiser, latents, text, folder, device, start=start and start.unet)
    target = folder / "model"
    save_pipeline(target, Parts(tokenizer, encoder, autoencoder, denoiser))
    (target / "MODEL_CARD.md").write_text(model_card(plan, folder, device), encoding="utf-8")
    return target


def _text(plan: TrainingPlan, folder: Path) -> tuple[CLIPTokenizer, CLIPTextModel]:
    """A tokenizer learnt from the phrase grammar, and a text encoder trained on phrases alone."""
    tokenizer = learn_tokenizer((text for text, _ in sample_phrases(20_000, plan.text.seed)), tokens=plan.tokens)
    return tokenizer, train_text_encoder(plan.text, tokenizer, sample_phrases, folder)


def _corpus(plan: TrainingPlan, folder: Path, data: Path | None) -> Corpus:
    seeds = range(plan.first_seed, plan.first_seed + plan.images)
    if data is None:
        return draw_corpus(draw_phantom, seeds, plan.size, folder)
    return open_corpus(folder) or keep_corpus(read_set(data, plan.size), folder)


def draw_phantom(seed: int, size: int) -> tuple[UInt8[np.ndarray, "y x"], list[str]]:
    """Pixels and phrases of one phantom. Its masks and boxes stay behind: no training sees them."""
    drawn = scene(seed, size)
    return np.round(drawn.pixels * 255).astype(np.uint8), [phrase.text for phrase in drawn.phrases]


@dataclass(frozen=True)
class Parts:
    """The four trained parts of a pipeline."""

    tokenizer: CLIPTokenizer
    text_encoder: CLIPTextModel
    vae: AutoencoderKL
    unet: UNet2DConditionModel


def open_pipeline(folder: Path) -> Parts:
    """The parts of a Stable Diffusion folder in single precision, the text encoder frozen."""
    return Parts(
        CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True),
        CLIPTextModel.from_pretrained(folder / "text_encoder", local_files_only=True).float().requires_grad_(False),
        AutoencoderKL.from_pretrained(folder / "vae", local_files_only=True).float(),
        UNet2DConditionModel.from_pretrained(folder / "unet", local_files_only=True).float(),
    )


def save_pipeline(folder: Path, parts: Parts) -> None:
    """A plain Stable Diffusion folder, half precision, that `StableDiffusionPipeline.from_pretrained` loads."""
    aside = folder.with_name(folder.name + ".part")
    shutil.rmtree(aside, ignore_errors=True)
    parts.tokenizer.save_pretrained(aside / "tokenizer")
    new_schedule().save_pretrained(aside / "scheduler")
    for name in ("text_encoder", "vae", "unet"):
        getattr(parts, name).to("cpu", torch.float16).save_pretrained(aside / name, safe_serialization=True)
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
    for name, content in (("model_index.json", index), (LABEL_FILE, asdict(LABEL))):
        (aside / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
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


def _latents(autoencoder: AutoencoderKL, corpus: Corpus, folder: Path, device: str) -> Latents:
    """All latents, scaled; kept on disk, since encoding takes minutes."""
    kept = folder / "latents.pt"
    if kept.exists():
        values = torch.load(kept, weights_only=True)
    else:
        scale = autoencoder.config.scaling_factor
        values = (encode_corpus(autoencoder, corpus, device=device).float() * scale).half()
        torch.save(values, kept)
    return Latents(values, corpus.phrases)
