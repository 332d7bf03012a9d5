"""MONAI bundles: both styles of keys, and what is said when files do not fit."""

import json

import pytest
import torch

pytest.importorskip("monai", reason="needs the extra: pip install 'deixis[monai]'")

from deixis.errors import ModelError
from deixis.models.loading import load
from monai_bundle import write_bundle
from tiny_model import write_tiny_model

DENOISER = "models/diffusion_model.pth"


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("words") / "sd", width=64)


@pytest.fixture
def bundle(tmp_path):
    return write_bundle(tmp_path / "bundle")


def answer(model):
    latent = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    return model.noise(latent, torch.tensor([300]), model.embed(["left lung"]))


def test_all_styles_of_files_are_one_model(words, tmp_path):
    """Old keys, MONAI core's keys, and safetensors give the same answer, bit for bit."""
    answers = []
    for style in ("old", "new", "safetensors"):
        model = load(write_bundle(tmp_path / style, style=style), device="cpu", text_encoder=words)
        assert model.spec.family == "monai-ldm"
        assert (model.spec.image_size, model.spec.latent_scale) == (128, 0.3)
        answers.append(answer(model))
    assert torch.equal(answers[0], answers[1])
    assert torch.equal(answers[0], answers[2])


def test_a_text_encoder_inside_the_bundle_is_found(bundle, words):
    """Its own text_encoder and tokenizer folders need no naming."""
    for part in ("text_encoder", "tokenizer"):
        (bundle / part).symlink_to(words / part)
    assert load(bundle, device="cpu").spec.tokens == 32


def test_without_a_text_encoder_the_error_says_how_to_give_one(bundle):
    with pytest.raises(ModelError, match="--text-encoder"):
        load(bundle, device="cpu")


def test_a_text_encoder_of_another_width_is_an_error(bundle, tiny_folder):
    with pytest.raises(ModelError, match=r"width 16 for 32 tokens; the denoiser in .* takes 64.*width 1024, 77 tokens"):
        load(bundle, device="cpu", text_encoder=tiny_folder)


def test_keys_that_do_not_fit_are_named_and_counted(bundle, words):
    """Never a silent partial load: the first five, and how many."""
    state = torch.load(bundle / DENOISER, weights_only=True)
    kept = {key: value for key, value in state.items() if "attn1" not in key}
    torch.save({**kept, "stray.weight": torch.zeros(1)}, bundle / DENOISER)
    with pytest.raises(ModelError, match=r"\d+ keys missing \(.* and \d+ more\); 1 keys unexpected \(stray.weight\)"):
        load(bundle, device="cpu", text_encoder=words)


def test_a_pickle_that_runs_code_is_refused(bundle, words, tmp_path):
    """Opening it would have made a file; none is made."""
    proof = tmp_path / "it ran"

    class Harm:
        def __reduce__(self):
            return (proof.touch, ())

    torch.save({"weight": Harm()}, bundle / DENOISER)
    with pytest.raises(ModelError, match="could run code: refused"):
        load(bundle, device="cpu", text_encoder=words)
    assert not proof.exists()


def test_a_truncated_file_is_an_error(bundle, words):
    whole = (bundle / DENOISER).read_bytes()
    (bundle / DENOISER).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelError, match="Copy it anew"):
        load(bundle, device="cpu", text_encoder=words)


def test_a_missing_file_is_named(bundle, words):
    (bundle / DENOISER).unlink()
    with pytest.raises(ModelError, match="no models/diffusion_model"):
        load(bundle, device="cpu", text_encoder=words)


def test_a_configuration_that_cannot_be_built_is_an_error(bundle, words):
    file = bundle / "configs" / "inference.json"
    config = json.loads(file.read_text())
    config["diffusion_def"]["no_such_argument"] = 1
    file.write_text(json.dumps(config))
    with pytest.raises(ModelError, match="no_such_argument"):
        load(bundle, device="cpu", text_encoder=words)


@pytest.mark.parametrize(("name", "value"), [("beta_schedule", "cosine"), ("prediction_type", "flow")])
def test_a_schedule_that_is_not_known_is_an_error(bundle, words, name, value):
    file = bundle / "configs" / "inference.json"
    config = json.loads(file.read_text())
    config["scheduler"][name] = value
    file.write_text(json.dumps(config))
    with pytest.raises(ModelError, match=value):
        load(bundle, device="cpu", text_encoder=words)


def test_the_hash_covers_the_given_text_encoder(bundle, words, tmp_path):
    """Two encoders, two models: provenance tells them apart."""
    other = write_tiny_model(tmp_path / "other", width=64, dtype=torch.float32)
    hashes = {load(bundle, device="cpu", text_encoder=encoder).spec.weights_sha256 for encoder in (words, other)}
    assert len(hashes) == 2
