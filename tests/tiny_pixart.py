"""Writes a tiny PixArt-Σ folder, its T5 tokenizer as sentencepiece writes it."""

import json
from pathlib import Path

import torch

from tiny_model import WORDS, tiny_scheduler, tiny_vae

WIDTH = 16


def write_pixart(folder: Path, *, side: int = 16) -> Path:
    from diffusers.models.transformers.pixart_transformer_2d import PixArtTransformer2DModel
    from transformers import T5Config, T5EncoderModel

    with torch.random.fork_rng():
        torch.manual_seed(0)
        transformer = PixArtTransformer2DModel(
            num_attention_heads=2, attention_head_dim=12, in_channels=4, out_channels=8, num_layers=6,
            cross_attention_dim=24, sample_size=side, patch_size=2, caption_channels=WIDTH,
            use_additional_conditions=side == 128,
        )  # fmt: skip
        text = T5EncoderModel(
            T5Config(
                vocab_size=40, d_model=WIDTH, d_kv=8, d_ff=24, num_layers=2, num_heads=2, feed_forward_proj="gated-gelu"
            )
        )
        vae = tiny_vae()
    for name, part in (("transformer", transformer), ("text_encoder", text), ("vae", vae)):
        part.save_pretrained(folder / name)
    write_t5_tokenizer(folder / "tokenizer")
    tiny_scheduler("epsilon").save_pretrained(folder / "scheduler")
    index = {
        "_class_name": "PixArtSigmaPipeline",
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "T5EncoderModel"],
        "tokenizer": ["transformers", "T5Tokenizer"],
        "transformer": ["diffusers", "PixArtTransformer2DModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def write_t5_tokenizer(folder: Path) -> Path:
    """spiece.model and its configuration: pad 0, end 1, unknown 2, no begin."""
    from sentencepiece import SentencePieceTrainer

    folder.mkdir(parents=True)
    SentencePieceTrainer.train(
        sentence_iterator=iter([" ".join(WORDS) + "."] * 40),
        model_prefix=str(folder / "spiece"),
        vocab_size=30,
        pad_id=0, eos_id=1, unk_id=2, bos_id=-1,
        hard_vocab_limit=False,
        minloglevel=2,
    )  # fmt: skip
    (folder / "spiece.vocab").unlink()
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "T5Tokenizer", "model_max_length": 300, "extra_ids": 0, "legacy": True})
    )
    return folder
