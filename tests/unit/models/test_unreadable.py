"""Why a folder of another kind is refused."""

import json

import pytest

from deixis.errors import ModelError
from deixis.models.loading import recognised
from deixis.models.unreadable import JOINT, why_not


def index(folder, **parts):
    (folder / "model_index.json").write_text(json.dumps({name: ["diffusers", kind] for name, kind in parts.items()}))
    return folder


@pytest.mark.parametrize("kind", JOINT)
def test_joint_attention_is_told_with_the_families_that_can_be_read(tmp_path, kind):
    told = why_not(index(tmp_path, transformer=kind))
    assert kind in told
    assert "jointly" in told
    assert "Stable Diffusion" in told


def test_another_denoiser_is_named(tmp_path):
    assert "UNet3DConditionModel" in why_not(index(tmp_path, unet="UNet3DConditionModel"))


def test_a_folder_that_says_nothing_is_told_nothing_of(tmp_path):
    assert why_not(tmp_path) == ""
    assert why_not(index(tmp_path, scheduler="DDIMScheduler")) == ""


def test_the_error_says_what_known_models_look_like(tmp_path):
    with pytest.raises(ModelError, match=r"diffusers-ldm.*model_index.json.*configs/inference.json.*single file"):
        recognised(tmp_path)
