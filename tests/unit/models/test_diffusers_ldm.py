"""The Stable Diffusion adapter against diffusers itself, and its errors."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from deixis.errors import ModelError, UnknownNameError
from deixis.maps.taps import probabilities
from deixis.models.catalog import LABEL_FILE
from deixis.models.loading import load
from tiny_model import write_tiny_model

PLAIN = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def copy(tiny_folder, tmp_path) -> Path:
    """A folder that a test may spoil."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "copy"))


def test_sites_are_in_call_order(tiny_model):
    """The middle block comes between down and up, though `named_modules` lists it last; heads and grids as called."""
    sites = tiny_model.spec.sites
    assert [site.stage for site in sites] == [
        "down_blocks.1", "down_blocks.2", "mid_block", "up_blocks.0", "up_blocks.0", "up_blocks.1", "up_blocks.1",
    ]  # fmt: skip
    assert [site.grid for site in sites] == [(8, 8), (4, 4), (4, 4), (4, 4), (4, 4), (8, 8), (8, 8)]
    assert {site.heads for site in sites} == {2}


def test_a_tap_forms_diffusers_own_probabilities(tiny_folder):
    """`get_attention_scores`, which diffusers' unfused attention uses, gives what the tap forms from q and k."""
    from diffusers.models.attention_processor import Attention, AttnProcessor

    model = load(tiny_folder, device="cpu")
    model._parts.denoiser.module.set_attn_processor(AttnProcessor())
    theirs, ours = [], []

    class Tap:
        def receive(self, site, timestep, q, k, bias):
            ours.append(probabilities(site, q, k, bias))

    def recorded(self, query, key, attention_mask=None, original=Attention.get_attention_scores):
        scores = original(self, query, key, attention_mask)
        if self.is_cross_attention:
            theirs.append(scores.unflatten(0, (-1, self.heads)).mean(dim=1))
        return scores

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Attention, "get_attention_scores", recorded)
        with model.tapped(model.spec.sites, Tap()):
            model.noise(torch.randn(2, 4, 16, 16), torch.tensor([5, 500]), model.embed(["left lung", "opacity"]))
    assert len(ours) == len(theirs) == 7
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other)


def test_fused_keys_are_an_error(tiny_folder):
    """Where k and v are one projection nothing can be heard, and the error says what to do."""
    model = load(tiny_folder, device="cpu")
    model._parts.denoiser.module.fuse_qkv_projections()

    class Deaf:
        def receive(self, *heard):
            raise AssertionError("nothing can be heard")

    with pytest.raises(ModelError, match="unfuse"), model.tapped(model.spec.sites, Deaf()):
        model.noise(torch.randn(1, 4, 16, 16), torch.tensor([5]), model.embed([""]))


def test_stopping_early_saves_the_rest_of_the_network(tiny_model):
    """After the middle block no upward block runs."""
    ran = []
    blocks = tiny_model._parts.denoiser.module.up_blocks
    handles = [block.register_forward_hook(lambda *_: ran.append(1)) for block in blocks]
    try:
        with tiny_model.tapped(tiny_model.spec.sites[:3], _Ignoring(), stop_after_last=True):
            tiny_model.noise(torch.randn(1, 4, 16, 16), torch.tensor([5]), tiny_model.embed([""]))
    finally:
        for handle in handles:
            handle.remove()
    assert not ran


class _Ignoring:
    def receive(self, *heard):
        pass


def test_no_hook_outlives_its_block(tiny_model):
    """Also after an exception, the modules carry as many hooks as before: none."""
    with pytest.raises(ZeroDivisionError), tiny_model.tapped(tiny_model.spec.sites, _Ignoring()):
        raise ZeroDivisionError
    modules = tiny_model._parts.denoiser.module.modules()
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in modules)


@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
def test_the_answer_is_always_epsilon(tmp_path, kind):
    """diffusers' own DDIM step arrives at the same x̂₀ from the raw answer as we from ε."""
    from diffusers.schedulers.scheduling_ddim import DDIMScheduler

    model = load(write_tiny_model(tmp_path / kind, prediction=kind), device="cpu")
    latent, context = torch.randn(1, 4, 16, 16), model.embed(["left lung"])
    raw = model._parts.denoiser.module(latent, torch.tensor([400]), context.states, return_dict=False)[0]
    scheduler = DDIMScheduler.from_pretrained(tmp_path / kind / "scheduler")
    scheduler.set_timesteps(10)
    theirs = scheduler.step(raw, 400, latent).pred_original_sample
    alpha = float(model.schedule.alphas_bar[400])
    noise = model.noise(latent, torch.tensor([400]), context)
    torch.testing.assert_close((latent - (1 - alpha) ** 0.5 * noise) / alpha**0.5, theirs, rtol=1e-4, atol=1e-4)


def test_latents_are_the_posterior_mode_scaled(tiny_model):
    """[0, 1] is shown to the autoencoder as [-1, 1]."""
    pixels = torch.rand(1, 1, 128, 128)
    expected = tiny_model._parts.autoencoder._vae.encode(2 * pixels - 1).latent_dist.mode() * 0.3
    assert torch.equal(tiny_model.encode(pixels), expected)


def test_text_states_are_those_of_the_pipeline(tiny_model):
    """Padded to the tokenizer's length, last hidden state, no text mask."""
    tokenizer, encoder = tiny_model._parts.text._tokenizer, tiny_model._parts.text._encoder
    ids = tokenizer(["left lung"], padding="max_length", max_length=32, return_tensors="pt").input_ids
    assert torch.equal(tiny_model.embed(["left lung"]).states, encoder(ids)[0])


def test_half_precision_files_are_read_in_single(tiny_model, tiny_folder):
    """The files hold float16; on the CPU all weights are float32."""
    from safetensors.torch import load_file

    assert {tensor.dtype for tensor in load_file(tiny_folder / PLAIN).values()} == {torch.float16}
    parts = tiny_model._parts
    assert parts.denoiser.module.dtype == parts.autoencoder._vae.dtype == parts.text._encoder.dtype == torch.float32


def test_the_fp16_variant_is_found(copy, tiny_model):
    """Files named ``….fp16.safetensors`` are the same model."""
    for file in list(copy.rglob("*.safetensors")):
        file.rename(file.with_suffix(".fp16.safetensors"))
    variant = load(copy, device="cpu")
    asked = torch.ones(1, 4, 16, 16), torch.tensor([5]), tiny_model.embed(["lung"])
    assert torch.equal(variant.noise(*asked), tiny_model.noise(*asked))


def test_loading_says_nothing(tiny_folder, capfd):
    """No advice, no progress bar: the command line prints one document."""
    load(tiny_folder, device="cpu")
    assert capfd.readouterr() == ("", "")


def test_missing_files_are_all_named(copy):
    """An incomplete folder lists what it lacks."""
    (copy / PLAIN).unlink()
    (copy / "scheduler" / "scheduler_config.json").unlink()
    with pytest.raises(ModelError, match=f"{PLAIN}.*scheduler_config.json"):
        load(copy, device="cpu")


def test_pickled_weights_are_read_as_plain_tensors(copy, tiny_model):
    """The same answer from .bin files; one that holds more than tensors is refused with the reason."""
    for part, name in (("unet", "diffusion_pytorch_model"), ("text_encoder", "pytorch_model")):
        (safe,) = (copy / part).glob("*.safetensors")
        torch.save(load_file(safe), copy / part / f"{name}.bin")
        safe.unlink()
    asked = torch.ones(1, 4, 16, 16), torch.tensor([500])
    read = load(copy, device="cpu")
    assert torch.equal(
        read.noise(*asked, read.embed(["left lung"])), tiny_model.noise(*asked, tiny_model.embed(["left lung"]))
    )
    torch.save({"weights": Path}, copy / "unet" / "diffusion_pytorch_model.bin")
    with pytest.raises(ModelError, match="could run code: refused"):
        load(copy, device="cpu")


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
def test_keys_that_do_not_fit_are_named_and_counted(copy, part):
    """Libraries would only log them, and go on with random weights in their place."""
    (file,) = (copy / part).glob("*.safetensors")
    state = load_file(file)
    lost = list(state)[:7]
    save_file({f"{key}.odd" if key in lost else key: value for key, value in state.items()}, file, {"format": "pt"})
    with pytest.raises(ModelError, match=r"7 keys missing \(.* and 2 more\); 7 keys unexpected"):
        load(copy, device="cpu")


@pytest.mark.parametrize(
    "file", [PLAIN, "vae/config.json", "text_encoder/model.safetensors", "tokenizer/tokenizer.json"]
)
def test_a_truncated_file_is_an_error(copy, file):
    """One line that says which model and why, whatever library noticed."""
    content = (copy / file).read_bytes()
    (copy / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelError, match="Copy it anew"):
        load(copy, device="cpu")


def test_a_folder_of_another_kind_is_an_error(tmp_path):
    """It says what a folder should look like."""
    with pytest.raises(ModelError, match=r"model_index\.json"):
        load(tmp_path, device="cpu")


def test_a_family_is_known_by_its_classes_not_its_name(copy):
    """The same files under another pipeline's name are read; other classes are not."""
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps({**index, "_class_name": "AnyPipeline"}))
    assert load(copy, device="cpu").spec.family == "diffusers-ldm"
    (copy / "model_index.json").write_text(json.dumps({**index, "unet": ["diffusers", "OtherModel"]}))
    with pytest.raises(ModelError, match="no model that deixis knows"):
        load(copy, device="cpu")


def test_an_unknown_prediction_type_is_an_error(copy):
    """Never a guess."""
    file = copy / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "prediction_type": "flow"}))
    with pytest.raises(ModelError, match="'flow'"):
        load(copy, device="cpu")


def test_a_label_file_names_the_model(copy):
    """``deixis.json`` beside the index gives name, licence and notice; the folder's name stands in for it."""
    assert load(copy, device="cpu").spec.name == "copy"
    (copy / LABEL_FILE).write_text(json.dumps({"name": "phantom", "notice": "synthetic"}))
    spec = load(copy, device="cpu").spec
    assert (spec.name, spec.notice) == ("phantom", "synthetic")
    (copy / LABEL_FILE).write_text('{"colour": "blue"}')
    with pytest.raises(ModelError, match="label"):
        load(copy, device="cpu")


def test_a_device_that_is_not_here_is_an_error(tiny_folder):
    """The text names it and an alternative."""
    for device in ("cuda:7", "abacus"):
        with pytest.raises(ModelError, match=rf"{device}.*auto"):
            load(tiny_folder, device=device)


def test_an_unknown_name_lists_the_known():
    """With the closest as a hint."""
    with pytest.raises(UnknownNameError, match="Did you mean 'phantom'"):
        load("fantom")
