"""Where text encoders lie, which kind they are, and whether they fit."""

import json
import shutil

import pytest

from deixis.errors import ModelError, UnknownNameError
from deixis.models.catalog import Label
from deixis.models.family import Placing
from deixis.models.networks import text_weights
from deixis.models.text_encoders import check_width, load_text, text_folders
from tiny_bert import write_cxr_bert


@pytest.fixture
def placing():
    import torch

    return Placing(torch.device("cpu"), torch.float32)


def test_an_encoder_lies_in_its_subfolder_or_in_the_folder_itself(tiny_folder, tmp_path):
    """A whole model lends its own; a repository of an encoder is one."""
    assert text_folders(tiny_folder).network == tiny_folder / "text_encoder"
    assert text_folders(tiny_folder).tokenizer == tiny_folder / "tokenizer"
    alone = write_cxr_bert(tmp_path / "bert")
    assert text_folders(alone).network == text_folders(alone).tokenizer == alone
    with pytest.raises(ModelError, match="holds no text encoder"):
        text_folders(tmp_path)


def test_its_kind_is_what_its_configuration_says(tiny_folder, tmp_path, placing):
    """Not the folder's name; an unknown kind lists the known."""
    clip = load_text(text_folders(tiny_folder), Label("x"), placing)
    bert = load_text(text_folders(write_cxr_bert(tmp_path / "clip")), Label("x"), placing)
    assert (type(clip).__name__, type(bert).__name__) == ("ClipText", "BertText")
    file = tmp_path / "clip" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "model_type": "xlm-roberta"}))
    with pytest.raises(UnknownNameError, match=r"xlm-roberta.*Known: clip"):
        load_text(text_folders(tmp_path / "clip"), Label("x"), placing)


def test_another_width_says_what_was_expected(tiny_folder, placing, tmp_path):
    text = load_text(text_folders(tiny_folder), Label("x"), placing)
    check_width(text, 16, tmp_path)
    with pytest.raises(ModelError, match=r"width 16 for 32 tokens; .* takes 1024.*--text-encoder"):
        check_width(text, 1024, tmp_path)


def test_safetensors_go_before_pickles_and_single_before_half(tmp_path):
    names = ("pytorch_model.bin", "model.fp16.safetensors", "model.safetensors")
    for name in names:
        (tmp_path / name).touch()
        assert text_weights(tmp_path).name == name
    for name in names:
        (tmp_path / name).unlink()
    with pytest.raises(ModelError, match=r"no model\.safetensors, no model\.fp16\.safetensors, no pytorch_model\.bin"):
        text_weights(tmp_path)


@pytest.mark.parametrize("prefix", ["", "text_model."])
def test_clip_of_either_version_of_its_library_is_read(tiny_folder, tmp_path, placing, prefix):
    """Layers under ``text_model`` or not: the same states."""
    import torch
    from safetensors.torch import load_file, save_file

    folder = shutil.copytree(tiny_folder, tmp_path / "copy")
    file = folder / "text_encoder" / "model.safetensors"
    state = {f"{prefix}{key.removeprefix('text_model.')}": value for key, value in load_file(file).items()}
    save_file(state | {f"{prefix}embeddings.position_ids": torch.arange(32)[None]}, file)
    states = [
        load_text(text_folders(place), Label("x"), placing).embed(["left lung"]).states
        for place in (tiny_folder, folder)
    ]
    assert torch.equal(*states)
