"""A tiny training from phantoms to a diffusers folder."""

import warnings
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from deixis.datasets.phantom import VALIDATION_SEED, write_set
from deixis.errors import CaseError, OutputError
from deixis.training.autoencoder import AutoencoderPlan, reconstruction_loss
from deixis.training.ldm import DenoiserPlan, captions, draw, new_schedule
from deixis.training.loop import read_log
from deixis.training.plan import TrainingPlan
from deixis.training.recipe import train
from deixis.training.text_encoder import TextEncoderPlan

TINY = TrainingPlan(
    images=8,
    size=64,
    tokens=24,
    text=TextEncoderPlan(width=32, layers=1, heads=2, steps=3, batch=4),
    autoencoder=AutoencoderPlan(channels=(8, 8, 8, 8), steps=3, batch=2, crop=32),
    denoiser=DenoiserPlan(channels=(16, 16, 32), heads=(1, 1, 1), steps=3, batch=2),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training of a few steps."""
    folder = tmp_path_factory.mktemp("training")
    train(TINY, folder)
    return folder


def test_result_is_a_stable_diffusion_folder(trained: Path) -> None:
    """`StableDiffusionPipeline.from_pretrained` loads it and makes a grey image."""
    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import StableDiffusionPipeline

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pipeline = StableDiffusionPipeline.from_pretrained(trained / "model", local_files_only=True)
    pipeline.set_progress_bar_config(disable=True)
    picture = pipeline.to(torch.float32)("small effusion", num_inference_steps=2, height=64, width=64).images[0]
    assert picture.size == (64, 64)


def test_weights_are_half_precision_safetensors_and_nothing_else(trained: Path) -> None:
    """No pickles are shipped, and the model card says what it must not be used for."""
    files = {path.suffix for path in (trained / "model").rglob("*") if path.is_file()}
    assert files <= {".json", ".safetensors", ".md", ".txt"}
    assert "never to be used for diagnosis" in (trained / "model" / "MODEL_CARD.md").read_text()


def test_log_names_every_stage(trained: Path) -> None:
    """Three stages, each to its last step."""
    last = {stage: step for stage, step, _, _ in read_log(trained)}
    assert last == {"text_encoder": 3, "autoencoder": 3, "denoiser": 3}


def test_a_second_call_changes_nothing(trained: Path) -> None:
    """A finished training is only saved again, with the same weights."""
    weights = (trained / "model" / "unet" / "diffusion_pytorch_model.safetensors").read_bytes()
    train(TINY, trained)
    assert (trained / "model" / "unet" / "diffusion_pytorch_model.safetensors").read_bytes() == weights


def test_another_plan_in_the_same_folder_is_refused(trained: Path) -> None:
    """Two trainings never mix."""
    with pytest.raises(OutputError, match="another plan"):
        train(replace(TINY, images=9), trained)


def test_training_never_reaches_validation_seeds(tmp_path: Path) -> None:
    """The plan is refused before anything is drawn."""
    with pytest.raises(OutputError, match="validation"):
        train(replace(TINY, first_seed=VALIDATION_SEED - 4), tmp_path)


def test_a_set_on_disk_is_learnt_from(tmp_path: Path) -> None:
    """`--data` takes what `deixis phantom` wrote; another folder is an error that says what to do."""
    write_set(tmp_path / "set", range(4), 80)
    assert (train(TINY, tmp_path / "training", data=tmp_path / "set") / "unet").is_dir()
    with pytest.raises(CaseError, match="deixis phantom"):
        train(TINY, tmp_path / "other", data=tmp_path)


def test_captions_are_empty_single_or_all() -> None:
    """About an eighth are empty, the rest hold one phrase or both; the same step gives the same captions."""
    plan = DenoiserPlan()
    said = captions(plan, [("small effusion", "edema")] * 400, 5)
    assert said == captions(plan, [("small effusion", "edema")] * 400, 5)
    assert 0.06 < said.count("") / 400 < 0.2
    assert 0.3 < sum("." in text for text in said) / 400 < 0.6


def test_timesteps_gather_where_findings_take_shape() -> None:
    """More than half lie within ±4 of log-SNR."""
    schedule = new_schedule()
    from deixis.training.ldm import Latents

    plan = replace(DenoiserPlan(), batch=512)
    alphas = schedule.alphas_cumprod
    _, timesteps, noise = draw(plan, Latents(torch.zeros(3, 4, 2, 2), ((), (), ())), alphas, 1)
    log_snr = torch.log(alphas[timesteps] / (1 - alphas[timesteps]))
    assert (log_snr.abs() < 4).float().mean() > 0.7
    assert noise.shape == (512, 4, 2, 2)


def test_reconstruction_loss_counts_edges() -> None:
    """A constant shift has no edge error; equal images have none at all."""
    image = torch.rand(1, 1, 8, 8)
    assert reconstruction_loss(image, image, 1.0) == 0
    assert reconstruction_loss(image + 0.5, image, 10.0) == pytest.approx(0.5, abs=1e-5)


def test_training_goes_on_from_a_model(trained: Path, tmp_path: Path) -> None:
    """Text encoder and tokenizer are those of the first model bit for bit; autoencoder and denoiser have moved."""
    again = train(replace(TINY, start=str(trained / "model"), first_seed=50), tmp_path / "again")

    def weights(part: str, model: Path) -> bytes:
        return next((model / part).glob("*.safetensors")).read_bytes()

    assert weights("text_encoder", again) == weights("text_encoder", trained / "model")
    assert weights("unet", again) != weights("unet", trained / "model")
    assert "went on from" in (again / "MODEL_CARD.md").read_text()
