"""The Stable Diffusion XL adapter against diffusers' own pipeline."""

import warnings

import pytest
import torch

from deixis.errors import ModelError
from deixis.models.loading import load
from tiny_sdxl import write_tiny_sdxl

PROMPT = "left lung"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_tiny_sdxl(tmp_path_factory.mktemp("sdxl") / "xl")


@pytest.fixture(scope="module")
def pipeline(folder):
    from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return StableDiffusionXLPipeline.from_pretrained(folder, local_files_only=True).to(torch.float32)


def test_a_folder_is_known_by_its_two_text_encoders(folder):
    assert load(folder, device="cpu").spec.family == "sdxl"


def test_text_is_what_the_pipeline_makes_of_it(folder, pipeline):
    """States side by side, pooled text, and zeros for the empty prompt."""
    words, empty, pooled, pooled_empty = pipeline.encode_prompt(PROMPT, device="cpu", do_classifier_free_guidance=True)
    context = load(folder, device="cpu").embed([PROMPT, ""])
    torch.testing.assert_close(context.states, torch.cat([words, empty]))
    torch.testing.assert_close(context.extra["text_embeds"], torch.cat([pooled, pooled_empty]))
    assert not context.states[1].any()


def test_sizes_are_those_that_the_pipeline_tells(folder, pipeline):
    side = (128, 128)
    told = pipeline._get_add_time_ids(side, (0, 0), side, torch.float32, text_encoder_projection_dim=12)
    assert torch.equal(load(folder, device="cpu").embed([PROMPT]).extra["time_ids"], told)


def test_noise_is_the_unets(folder, pipeline):
    """The context that is handed on, a row at a time too, makes the UNet's own answer."""
    model = load(folder, device="cpu")
    context = model.embed([PROMPT, ""]).take([1, 0, 0])
    latent = torch.randn(3, 4, 16, 16, generator=torch.Generator().manual_seed(0))
    timestep = torch.tensor([3, 500, 900])
    with torch.no_grad():
        theirs = pipeline.unet(latent, timestep, context.states, added_cond_kwargs=dict(context.extra)).sample
    torch.testing.assert_close(model.noise(latent, timestep, context), theirs)


def test_every_transformer_layer_is_a_site(folder):
    """Two layers in one block are two sites of one stage."""
    sites = load(folder, device="cpu").spec.sites
    assert len(sites) == 11
    assert len({site.stage for site in sites}) == 5


def test_another_text_encoder_is_refused(folder):
    with pytest.raises(ModelError, match="of its own"):
        load(folder, device="cpu", text_encoder=folder)
