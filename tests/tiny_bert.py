"""Writes a tiny CXR-BERT in its repository's layout, and the models that stand on one."""

import json
from pathlib import Path

import torch

from tiny_model import INDEX, WORDS, tiny_scheduler, tiny_unet, tiny_vae

WIDTH = 16
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, "a", ".", "##s"]


def write_cxr_bert(folder: Path, *, positions: int = 32) -> Path:
    """config.json of model type cxr-bert that asks for code of its own, pickled weights under ``bert.``, vocab.txt."""
    from transformers import BertConfig, BertForMaskedLM

    folder.mkdir(parents=True)
    config = BertConfig(
        vocab_size=len(PIECES), hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
        max_position_embeddings=positions,
    )  # fmt: skip
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = BertForMaskedLM(config)
        state = network.state_dict()
        # The projection head of CXR-BERT, and positions as older versions of the library spelt them out.
        state["cls_projection_head.dense_to_hidden.weight"] = torch.randn(8, WIDTH)
        state["bert.embeddings.position_ids"] = torch.arange(positions)[None]
    torch.save(state, folder / "pytorch_model.bin")
    said = {**config.to_dict(), "model_type": "cxr-bert", "architectures": ["CXRBertModel"], "projection_size": 8}
    said["auto_map"] = {"AutoModel": "modeling_cxrbert.CXRBertModel"}
    (folder / "modeling_cxrbert.py").write_text("raise RuntimeError('code of a model was run')\n")
    (folder / "config.json").write_text(json.dumps(said))
    (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer", "model_max_length": 24, "do_lower_case": True})
    )
    return folder


def write_bert_ldm(folder: Path) -> Path:
    """Stable Diffusion with CXR-BERT in its text_encoder and tokenizer, as Generate to Ground's pipeline saves it."""
    write_bare_unet(folder)
    tiny_vae().save_pretrained(folder / "vae")
    tiny_scheduler("epsilon").save_pretrained(folder / "scheduler")
    write_cxr_bert(folder / "text_encoder")
    (folder / "tokenizer").mkdir()
    for name in ("vocab.txt", "tokenizer_config.json"):
        (folder / "text_encoder" / name).rename(folder / "tokenizer" / name)
    index = {
        **INDEX,
        "text_encoder": ["transformers_modules.modeling_cxrbert", "CXRBertModel"],
        "tokenizer": ["transformers", "BertTokenizerFast"],
    }
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def write_bare_unet(folder: Path) -> Path:
    """A repository with a UNet and nothing else, as RadEdit's."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tiny_unet().save_pretrained(folder / "unet")
    return folder


def write_vae(folder: Path) -> Path:
    """A repository with an autoencoder in its root, as SDXL's."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        tiny_vae().save_pretrained(folder)
    return folder


LINEAR_NOISE = {"beta_schedule": "linear", "beta_start": 1e-4, "beta_end": 0.02, "prediction_type": "epsilon"}


def write_radedit(folder: Path) -> Path:
    """A bare UNet whose deixis.json says where its parts are, beside them."""
    vae, bert = write_vae(folder / "vae-apart"), write_cxr_bert(folder / "bert")
    bare = write_bare_unet(folder / "radedit")
    label = {"parts": {"vae": str(vae), "text_encoder": str(bert)}, "scheduler": LINEAR_NOISE, "tokens": 20}
    (bare / "deixis.json").write_text(json.dumps(label))
    return bare
