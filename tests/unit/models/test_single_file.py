"""Single files of all three generations against the networks that were written into them."""

import pytest
import torch

from deixis.errors import ModelError
from deixis.models.loading import load
from tiny_single_file import write_single_file, write_tokenizer

# Drawn, not constant: the group norms of a flat plane make rounding errors large.
DICE = torch.Generator().manual_seed(0)
LATENT, TIMESTEP = torch.randn(1, 4, 64, 64, generator=DICE), torch.tensor([500])
PIXELS = torch.rand(1, 1, 64, 64, generator=DICE)


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    return write_tokenizer(tmp_path_factory.mktemp("words"))


@pytest.mark.parametrize("suffix", [".safetensors", ".ckpt"])
def test_the_first_generation_answers_as_its_networks(words, tmp_path, suffix):
    file = tmp_path / f"model{suffix}"
    made = write_single_file(file)
    model = load(file, device="cpu", text_encoder=words)
    assert (model.spec.family, model.spec.name, model.spec.prediction) == ("single-file", "model", "epsilon")
    assert (model.spec.image_size, model.spec.latent_scale) == (512, 0.18215)
    context = model.embed(["left lung"])
    ids = [model._parts.text._tokenizer("left lung", padding="max_length").input_ids]
    with torch.no_grad():
        states = made["text"](torch.tensor(ids))[0]
        answer = made["unet"](LATENT, TIMESTEP, states).sample
        mean = made["vae"].encode((2 * PIXELS - 1).expand(1, 3, 64, 64)).latent_dist.mode()
    torch.testing.assert_close(context.states, states, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(model.noise(LATENT, TIMESTEP, context), answer, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(model.encode(PIXELS), mean * 0.18215, rtol=1e-3, atol=1e-4)


def test_the_second_generation_must_say_what_it_predicts(words, tmp_path):
    """Its published configuration beside the file says it, or a label does; without either it is an error."""
    file = tmp_path / "second.safetensors"
    made = write_single_file(file, "2")
    with pytest.raises(ModelError, match=r"second.yaml beside it, or a second.deixis.json"):
        load(file, device="cpu", text_encoder=words)
    (tmp_path / "second.yaml").write_text('model:\n  params:\n    parameterization: "v"\n')
    model = load(file, device="cpu", text_encoder=words)
    assert (model.spec.prediction, model.spec.image_size) == ("v_prediction", 768)
    context = model.embed(["left lung"])
    ids = [model._parts.text._tokenizer("left lung", padding="max_length").input_ids]
    assert ids[0][-1] == model._parts.text._tokenizer.convert_tokens_to_ids("!")
    with torch.no_grad():
        states = made["text_2"](torch.tensor(ids))[0]
        v = made["unet"](LATENT, TIMESTEP, states).sample
    torch.testing.assert_close(context.states, states, rtol=1e-3, atol=1e-4)
    signal = torch.tensor(model.schedule.alphas_bar[500]).float()
    expected = signal.sqrt() * v + (1 - signal).sqrt() * LATENT
    torch.testing.assert_close(model.noise(LATENT, TIMESTEP, context), expected, rtol=1e-3, atol=1e-4)
    (tmp_path / "second.yaml").unlink()
    (tmp_path / "second.deixis.json").write_text('{"name": "mine", "scheduler": {"prediction_type": "epsilon"}}')
    assert load(file, device="cpu", text_encoder=words).spec.prediction == "epsilon"


def test_xl_has_two_encoders_in_one_file(words, tmp_path):
    file = tmp_path / "xl.safetensors"
    made = write_single_file(file, "xl")
    model = load(file, device="cpu", text_encoder=words)
    assert model.spec.image_size == 1024
    context = model.embed(["left lung"])
    assert context.extra["text_embeds"].shape == (1, 48)
    with torch.no_grad():
        told = dict(context.extra)
        answer = made["unet"](LATENT, TIMESTEP, context.states, added_cond_kwargs=told).sample
        ids = torch.tensor([model._parts.text.tokenizers[1]("left lung", padding="max_length").input_ids])
        pooled = made["text_2"](ids).text_embeds
    torch.testing.assert_close(context.extra["text_embeds"], pooled, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(model.noise(LATENT, TIMESTEP, context), answer, rtol=1e-3, atol=1e-4)


def test_what_is_missing_is_said(words, tmp_path):
    """A tokenizer nowhere; an autoencoder that cannot be replaced; keys that a truncated training left out."""
    file = tmp_path / "model.safetensors"
    write_single_file(file)
    with pytest.raises(ModelError, match="holds no tokenizer"):
        load(file, device="cpu")
    with pytest.raises(ModelError, match="of its own"):
        load(file, device="cpu", text_encoder=words, vae=words)
    from safetensors.torch import load_file, save_file

    state = load_file(file)
    save_file({k: v for k, v in state.items() if not k.endswith("attn2.to_v.weight")}, file)
    with pytest.raises(ModelError, match=r"\d+ keys missing"):
        load(file, device="cpu", text_encoder=words)


def test_another_files_keys_are_of_no_family(tmp_path):
    from safetensors.torch import save_file

    save_file({"some.weight": torch.ones(2)}, tmp_path / "other.safetensors")
    with pytest.raises(ModelError, match="single file has the keys"):
        load(tmp_path / "other.safetensors", device="cpu")
