"""Writes Stable Diffusion in a single file: our tiny networks under the keys of its own training code."""

import re
from pathlib import Path

import torch

from tiny_model import CAPACITY, tiny_text_encoder, tiny_tokenizer

CHANNELS = (32, 64)


def networks(generation: str) -> dict:
    """Random networks of diffusers and transformers with each generation's marks."""
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    width = 128 if generation == "xl" else 64
    channels = CHANNELS if generation == "1" else (64, 128)
    more = {"attention_head_dim": 8} if generation == "1" else {
        "attention_head_dim": (1, 2), "use_linear_projection": True,
    }  # fmt: skip
    if generation == "xl":
        more |= {
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 256,
            "projection_class_embeddings_input_dim": 48 + 6 * 256,
            "transformer_layers_per_block": (1, 2),
        }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return {
            "unet": UNet2DConditionModel(
                sample_size=64, block_out_channels=channels, layers_per_block=1, cross_attention_dim=width,
                down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
                up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), **more,
            ),
            "vae": AutoencoderKL(
                in_channels=3, out_channels=3, block_out_channels=(32, 32, 32, 32), latent_channels=4,
                down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
                scaling_factor=0.13025 if generation == "xl" else 0.18215,
            ),
            "text": tiny_text_encoder(64, layers=3, heads=1),
            "text_2": open_clip_encoder(projected=generation == "xl"),
        }  # fmt: skip


def open_clip_encoder(*, projected: bool):
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    plain = tiny_text_encoder(64, layers=3, heads=1).config.to_dict()
    config = CLIPTextConfig(**{**plain, "hidden_act": "gelu", "projection_dim": 48 if projected else 64})
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)


def write_single_file(file: Path, generation: str = "1") -> dict:
    """The file, and the networks in it; `.ckpt` wraps the tensors as training does."""
    from safetensors.torch import save_file

    made = networks(generation)
    state = {f"model.diffusion_model.{key}": value for key, value in ldm_unet(made["unet"]).items()}
    state |= {f"first_stage_model.{key}": value for key, value in ldm_vae(made["vae"]).items()}
    clip = {f"text_model.{key.removeprefix('text_model.')}": v for key, v in made["text"].state_dict().items()}
    if generation == "1":
        state |= {f"cond_stage_model.transformer.{key}": value for key, value in clip.items()}
        state["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(CAPACITY)[None]
    elif generation == "2":
        state |= {f"cond_stage_model.model.{key}": value for key, value in open_clip(made["text_2"]).items()}
    else:
        state |= {f"conditioner.embedders.0.transformer.{key}": value for key, value in clip.items()}
        state |= {f"conditioner.embedders.1.model.{key}": value for key, value in open_clip(made["text_2"]).items()}
    state = {key: value.detach().clone().contiguous() for key, value in state.items()}
    if file.suffix == ".safetensors":
        save_file(state, file)
    else:
        torch.save({"state_dict": state, "global_step": 7}, file)
    return made


def write_tokenizer(folder: Path) -> Path:
    """A folder to take the tokenizer from, with the configuration of an encoder beside it."""
    tiny_tokenizer().save_pretrained(folder / "tokenizer")
    tiny_text_encoder().config.save_pretrained(folder / "text_encoder")
    return folder


def ldm_unet(unet) -> dict:
    """diffusers' keys → those of the training code, block by block."""
    levels = len(unet.config["block_out_channels"])
    deep = unet.config["layers_per_block"] + 1
    crossing = [2 if kind.startswith("CrossAttn") else 1 for kind in unet.config["up_block_types"]]
    state = {}
    for key, value in unet.state_dict().items():
        name = re.sub(r"time_embedding\.linear_(\d)", lambda m: f"time_embed.{2 * int(m[1]) - 2}", key)
        name = re.sub(r"add_embedding\.linear_(\d)", lambda m: f"label_emb.0.{2 * int(m[1]) - 2}", name)
        name = re.sub(r"^conv_in\.", "input_blocks.0.0.", name)
        name = name.replace("conv_norm_out.", "out.0.").replace("conv_out.", "out.2.")
        name = re.sub(
            r"down_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.",
            lambda m: f"input_blocks.{int(m[1]) * deep + int(m[3]) + 1}.{int(m[2] == 'attentions')}.",
            name,
        )
        name = re.sub(
            r"down_blocks\.(\d+)\.downsamplers\.0\.conv\.",
            lambda m: f"input_blocks.{(int(m[1]) + 1) * deep}.0.op.",
            name,
        )
        name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"middle_block.{2 * int(m[1])}", name)
        name = name.replace("mid_block.attentions.0", "middle_block.1")
        name = re.sub(
            r"up_blocks\.(\d+)\.(resnets|attentions)\.(\d+)\.",
            lambda m: f"output_blocks.{int(m[1]) * deep + int(m[3])}.{int(m[2] == 'attentions')}.",
            name,
        )
        name = re.sub(
            r"up_blocks\.(\d+)\.upsamplers\.0\.",
            lambda m: f"output_blocks.{int(m[1]) * deep + deep - 1}.{crossing[int(m[1])]}.",
            name,
        )
        state[_ldm_residual(name)] = value
    assert levels == 2
    return state


def _ldm_residual(name: str) -> str:
    if ".transformer_blocks." in name:
        return name
    for new, old in (
        ("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"),
        ("norm2", "out_layers.0"), ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection"),
    ):  # fmt: skip
        name = name.replace(f".{new}.", f".{old}.")
    return name


def ldm_vae(vae) -> dict:
    state = {}
    last = len(vae.config["block_out_channels"]) - 1
    for key, value in vae.state_dict().items():
        name = re.sub(r"encoder\.down_blocks\.(\d)\.resnets\.(\d)", r"encoder.down.\1.block.\2", key)
        name = re.sub(r"encoder\.down_blocks\.(\d)\.downsamplers\.0", r"encoder.down.\1.downsample", name)
        name = re.sub(r"decoder\.up_blocks\.(\d)", lambda m: f"decoder.up.{last - int(m[1])}", name)
        name = re.sub(r"(decoder\.up\.\d)\.resnets\.(\d)", r"\1.block.\2", name)
        name = re.sub(r"(decoder\.up\.\d)\.upsamplers\.0", r"\1.upsample", name)
        name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
        name = name.replace("mid_block.attentions.0", "mid.attn_1").replace("conv_shortcut", "nin_shortcut")
        name = name.replace("conv_norm_out", "norm_out")
        if ".attn_1." in name:
            for new, old in (
                ("group_norm", "norm"),
                ("to_q", "q"),
                ("to_k", "k"),
                ("to_v", "v"),
                ("to_out.0", "proj_out"),
            ):
                name = name.replace(f".{new}.", f".{old}.")
        # Convolutions of one pixel, where diffusers has linear layers.
        state[name] = value[..., None, None] if ".attn_1." in name and value.ndim == 2 else value
    return state


def open_clip(encoder) -> dict:
    """transformers' keys → OpenCLIP's; one more layer than is read follows the last, as in Stable Diffusion 2."""
    own = {key.removeprefix("text_model."): value for key, value in encoder.state_dict().items()}
    projected = "text_projection.weight" in own
    state = {
        "token_embedding.weight": own["embeddings.token_embedding.weight"],
        "positional_embedding": own["embeddings.position_embedding.weight"],
        "ln_final.weight": own["final_layer_norm.weight"],
        "ln_final.bias": own["final_layer_norm.bias"],
        "text_projection": own["text_projection.weight"].T if projected else torch.randn(64, 64),
        "logit_scale": torch.tensor(1.0),
    }
    layers = encoder.config.num_hidden_layers
    for index in range(layers if projected else layers + 1):
        theirs, block = f"encoder.layers.{min(index, layers - 1)}.", f"transformer.resblocks.{index}."
        for end in ("weight", "bias"):
            qkv = [own[f"{theirs}self_attn.{letter}_proj.{end}"] for letter in "qkv"]
            state[f"{block}attn.in_proj_{end}"] = torch.cat(qkv)
            state[f"{block}attn.out_proj.{end}"] = own[f"{theirs}self_attn.out_proj.{end}"]
            for new, old in (
                ("layer_norm1", "ln_1"),
                ("layer_norm2", "ln_2"),
                ("mlp.fc1", "mlp.c_fc"),
                ("mlp.fc2", "mlp.c_proj"),
            ):
                state[f"{block}{old}.{end}"] = own[f"{theirs}{new}.{end}"]
    return state
