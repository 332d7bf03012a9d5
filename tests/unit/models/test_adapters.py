"""LoRA adapters against peft's own forward pass."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from deixis.errors import ModelError
from deixis.models.loading import load
from tiny_lora import kohya_style, write_lora

pytest.importorskip("peft", reason="needs the extra: pip install 'deixis[lora]'")

LATENT, TIMESTEP = torch.ones(1, 4, 16, 16), torch.tensor([500])
FILE = "pytorch_lora_weights.safetensors"


@pytest.fixture(scope="module")
def lora(tmp_path_factory):
    return write_lora(tmp_path_factory.mktemp("lora") / "lora")


@pytest.fixture(scope="module")
def adapted(tiny_folder, lora):
    return load(tiny_folder, device="cpu", lora=[lora])


def test_folded_in_it_answers_as_peft_does(tiny_folder, lora, adapted):
    """The pipeline with the adapter loaded, not folded, gives the same states and noise."""
    from diffusers import StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(tiny_folder, safety_checker=None, local_files_only=True)
    pipeline.to(torch.float32).load_lora_weights(lora, weight_name=FILE)
    context = adapted.embed(["left lung"])
    with torch.no_grad():
        states, _ = pipeline.encode_prompt("left lung", "cpu", 1, do_classifier_free_guidance=False)
        v = pipeline.unet(LATENT, TIMESTEP, states).sample
    torch.testing.assert_close(context.states, states, rtol=1e-3, atol=1e-4)
    signal = torch.tensor(adapted.schedule.alphas_bar[500]).float()
    expected = signal.sqrt() * v + (1 - signal).sqrt() * LATENT
    torch.testing.assert_close(adapted.noise(LATENT, TIMESTEP, context), expected, rtol=1e-3, atol=1e-3)


def test_it_changes_the_answer_and_the_hash_and_leaves_plain_layers(tiny_model, adapted):
    """The layers are those that a tap listens to, of the library's own kind."""
    assert adapted.spec.weights_sha256 != tiny_model.spec.weights_sha256
    assert adapted.spec.sites == tiny_model.spec.sites
    kinds = {type(module).__module__.partition(".")[0] for module in adapted._parts.denoiser.module.modules()}
    assert "peft" not in kinds
    asked = LATENT, TIMESTEP
    before = tiny_model.noise(*asked, tiny_model.embed(["left lung"]))
    assert not torch.allclose(before, adapted.noise(*asked, adapted.embed(["left lung"])), atol=1e-3)


def test_another_scripts_keys_are_the_same_adapter(tiny_folder, lora, adapted, tmp_path):
    """Flat names, with an alpha beside each layer."""
    file = kohya_style(lora / FILE, tmp_path / "kohya.safetensors")
    other = load(tiny_folder, device="cpu", lora=[file])
    asked = LATENT, TIMESTEP
    torch.testing.assert_close(other.embed(["lung"]).states, adapted.embed(["lung"]).states, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(
        other._parts.denoiser.answer(*asked, adapted.embed([""])),
        adapted._parts.denoiser.answer(*asked, adapted.embed([""])),
        rtol=1e-3, atol=1e-3,
    )  # fmt: skip


def test_an_adapter_for_the_unet_alone_leaves_the_text_as_it_is(tiny_folder, tiny_model, tmp_path):
    model = load(tiny_folder, device="cpu", lora=[write_lora(tmp_path / "unet", text=False)])
    assert torch.equal(model.embed(["left lung"]).states, tiny_model.embed(["left lung"]).states)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda key: key.replace("unet.", "transformer."), "layers of another model: transformer"),
        (lambda key: key.replace("down_blocks.1", "down_blocks.7"), r"changes \d+ layers, and \d+ of them"),
    ],
)
def test_what_fits_nowhere_is_an_error(tiny_folder, lora, tmp_path, change, told):
    """Libraries would only log it."""
    save_file({change(key): value for key, value in load_file(lora / FILE).items()}, tmp_path / FILE)
    with pytest.raises(ModelError, match=told):
        load(tiny_folder, device="cpu", lora=[tmp_path])


def test_a_folder_without_an_adapter_is_an_error(tiny_folder, tmp_path):
    with pytest.raises(ModelError, match="no LoRA folder"):
        load(tiny_folder, device="cpu", lora=[tmp_path])
