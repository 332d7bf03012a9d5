"""LoRA adapters against peft's own forward pass."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from deixis.errors import ModelError
from deixis.models.adapters import Difference
from deixis.models.loading import load
from tiny_lora import kohya_style, write_lora

pytest.importorskip("peft", reason="writes adapters with peft")

LATENT, TIMESTEP = torch.ones(1, 4, 16, 16), torch.tensor([500])
FILE = "pytorch_lora_weights.safetensors"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The folder, and the networks with the adapter at work in peft's own layers."""
    folder = tmp_path_factory.mktemp("lora") / "lora"
    return folder, write_lora(folder)


@pytest.fixture(scope="module")
def lora(written):
    return written[0]


@pytest.fixture(scope="module")
def adapted(tiny_folder, lora):
    return load(tiny_folder, device="cpu", lora=[lora])


def test_folded_in_it_answers_as_peft_does(written, adapted):
    """The same states and noise as with peft's layers beside the weights."""
    networks = written[1]
    context = adapted.embed(["left lung"])
    ids = torch.tensor([adapted._parts.text._tokenizer("left lung", padding="max_length").input_ids])
    with torch.no_grad():
        states = networks["text_encoder"](ids)[0]
        v = networks["unet"](LATENT, TIMESTEP, states).sample
    torch.testing.assert_close(context.states, states, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(adapted._parts.denoiser.answer(LATENT, TIMESTEP, context), v, rtol=1e-3, atol=1e-3)


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
    write_lora(tmp_path / "unet", text=False)
    model = load(tiny_folder, device="cpu", lora=[tmp_path / "unet"])
    assert torch.equal(model.embed(["left lung"]).states, tiny_model.embed(["left lung"]).states)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda key: key.replace("unet.", "transformer."), "layers of another model: transformer"),
        (
            lambda key: key.replace("down_blocks.1", "down_blocks.7"),
            r"changes \d+ layers, and down_blocks.7.* is not in this model",
        ),
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


def test_a_convolution_is_changed_as_its_product_says():
    """down ``[rank channel y x]`` and up ``[out rank 1 1]``; half the rank as strength halves it."""
    down, up = torch.randn(2, 3, 3, 3), torch.randn(4, 2, 1, 1)
    made = Difference(down, up, alpha=1.0).of_shape(torch.Size((4, 3, 3, 3)))
    torch.testing.assert_close(made, torch.einsum("or,rcyx->ocyx", up[:, :, 0, 0], down) / 2)


def test_a_kind_that_cannot_be_folded_is_an_error(tiny_folder, lora, tmp_path):
    """DoRA rescales the weights themselves; diffusers would leave the scale out with a warning."""
    state = load_file(lora / FILE)
    save_file(state | {"unet.conv_in.dora_scale": torch.ones(1)}, tmp_path / FILE)
    with pytest.raises(ModelError, match="is a DoRA"):
        load(tiny_folder, device="cpu", lora=[tmp_path])
