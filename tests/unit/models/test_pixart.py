"""PixArt against diffusers' own pipeline."""

import json

import pytest
import torch

from deixis.errors import ModelError
from deixis.models.loading import load
from tiny_pixart import write_pixart

pytest.importorskip("sentencepiece", reason="needs the extra: pip install 'deixis[pixart]'")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_pixart(tmp_path_factory.mktemp("pixart") / "sigma")


@pytest.fixture(scope="module")
def model(folder):
    return load(folder, device="cpu")


def test_text_and_noise_are_the_pipelines(folder, model):
    """States, mask, and the noise half of the transformer's answer."""
    from diffusers import PixArtSigmaPipeline

    pipeline = PixArtSigmaPipeline.from_pretrained(folder, local_files_only=True)
    states, mask, _, _ = pipeline.encode_prompt("Left lung", do_classifier_free_guidance=False, device="cpu")
    context = model.embed(["Left lung"])
    torch.testing.assert_close(context.states, states)
    assert torch.equal(context.mask, mask.bool())
    latent, timestep = torch.randn(1, 4, 16, 16), torch.tensor([500])
    with torch.no_grad():
        answer = pipeline.transformer(
            latent, encoder_hidden_states=states, timestep=timestep, encoder_attention_mask=mask,
            added_cond_kwargs={"resolution": None, "aspect_ratio": None},
        ).sample  # fmt: skip
    torch.testing.assert_close(model.noise(latent, timestep, context), answer[:, :4])


def test_every_layer_is_a_site_on_the_grid_of_patches(model):
    assert [site.name for site in model.spec.sites] == [f"transformer_blocks.{i}.attn2" for i in range(6)]
    assert {site.grid for site in model.spec.sites} == {(8, 8)}


def test_models_of_1024_pixels_are_told_their_size(tmp_path):
    """Height, width and aspect ratio go in, as their transformers were trained."""
    model = load(write_pixart(tmp_path / "big", side=128), device="cpu")
    sizes = model._parts.denoiser._sizes(torch.zeros(2, 4, 128, 96))
    assert sizes["resolution"].tolist() == [[1024.0, 768.0]] * 2
    assert sizes["aspect_ratio"].flatten().tolist() == pytest.approx([4 / 3] * 2)


def test_joint_attention_is_refused_with_the_families_that_can_be_read(folder, tmp_path):
    index = json.loads((folder / "model_index.json").read_text())
    index["transformer"] = ["diffusers", "SD3Transformer2DModel"]
    (tmp_path / "model_index.json").write_text(json.dumps(index))
    with pytest.raises(ModelError, match=r"jointly.*Families that can be read: Stable Diffusion.*PixArt.*MONAI"):
        load(tmp_path, device="cpu")


def test_missing_files_are_all_named(folder, tmp_path):
    (tmp_path / "model_index.json").write_text((folder / "model_index.json").read_text())
    with pytest.raises(ModelError, match=r"no transformer/config.json, no vae/config.json.*no scheduler"):
        load(tmp_path, device="cpu")
