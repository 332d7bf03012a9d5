"""BERT encoders of reports, and the models whose folders hold little more than a UNet."""

import json

import pytest
import torch

from deixis.errors import ModelError
from deixis.models.loading import load
from tiny_bert import LINEAR_NOISE, PIECES, write_bare_unet, write_bert_ldm, write_cxr_bert, write_radedit, write_vae

PHRASE = "Small left effusions."


@pytest.fixture(scope="module")
def radedit(tmp_path_factory):
    return load(write_radedit(tmp_path_factory.mktemp("radedit")), device="cpu")


def test_states_are_those_of_the_plain_bert(tmp_path):
    """Read from the pickle under ``bert.``, without the code that its configuration points to; padding is masked."""
    from transformers import BertConfig, BertModel

    model = load(write_bert_ldm(tmp_path / "ldm"), device="cpu")
    assert model.spec.family == "diffusers-ldm"
    folder = tmp_path / "ldm" / "text_encoder"
    bert = BertModel(BertConfig(**json.loads((folder / "config.json").read_text())), add_pooling_layer=False).eval()
    state = torch.load(folder / "pytorch_model.bin", weights_only=True)
    own = {key.removeprefix("bert."): value for key, value in state.items() if key.startswith("bert.")}
    bert.load_state_dict({key: value for key, value in own.items() if key != "embeddings.position_ids"})
    pieces = ["[CLS]", "small", "left", "effusion", "##s", ".", "[SEP]"]
    ids = torch.tensor([[PIECES.index(piece) for piece in pieces] + [0] * 17])
    with torch.no_grad():
        states = bert(ids, attention_mask=(ids != 0).long()).last_hidden_state
    context = model.embed([PHRASE])
    torch.testing.assert_close(context.states, states)
    assert context.mask is None
    assert [PHRASE[a:b] for a, b in context.spans[0] if a < b] == ["Small", "left", "effusion", "s", "."]


def test_a_bare_unet_takes_its_parts_from_where_its_label_says(radedit):
    """Autoencoder, text encoder, linear betas, and so many tokens."""
    assert radedit.spec.tokens == 20
    betas = torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)
    torch.testing.assert_close(
        torch.tensor(radedit.schedule.alphas_bar), torch.cumprod(1 - betas, 0), rtol=1e-4, atol=0
    )
    assert radedit.embed([PHRASE]).states.shape == (1, 20, 16)


def test_a_bare_unet_takes_its_parts_from_the_caller(tmp_path):
    """By options; whatever is still missing is listed."""
    bare, bert, vae = write_bare_unet(tmp_path / "u"), write_cxr_bert(tmp_path / "b"), write_vae(tmp_path / "v")
    with pytest.raises(ModelError, match=r"no vae/config.json.*no text_encoder/config.json.*no scheduler.*--vae"):
        load(bare, device="cpu")
    (bare / "scheduler").mkdir()
    (bare / "scheduler" / "scheduler_config.json").write_text(json.dumps(LINEAR_NOISE))
    model = load(bare, device="cpu", text_encoder=bert, vae=vae)
    assert model.spec.tokens == 24
    torch.save({**torch.load(bert / "pytorch_model.bin"), "cls.odd": torch.ones(1)}, bert / "pytorch_model.bin")
    assert model.spec.weights_sha256 != load(bare, device="cpu", text_encoder=bert, vae=vae).spec.weights_sha256


def test_padding_is_hidden_from_the_denoiser_where_the_label_says(tmp_path):
    folder = write_radedit(tmp_path)
    label = json.loads((folder / "deixis.json").read_text())
    (folder / "deixis.json").write_text(json.dumps({**label, "mask_text": True}))
    model = load(folder, device="cpu")
    assert model.embed([PHRASE, ""]).mask.sum(dim=1).tolist() == [7, 2]


def test_an_encoder_of_another_kind_is_an_error(tmp_path):
    """A model type that deixis does not know lists the known; weights that are no BERT's name their keys."""
    folder = write_cxr_bert(tmp_path / "bert")
    said = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**said, "model_type": "llama"}))
    bare = write_radedit(tmp_path / "model")
    with pytest.raises(Exception, match=r"llama.*Known: clip"):
        load(bare, device="cpu", text_encoder=folder)
    (folder / "config.json").write_text(json.dumps(said))
    torch.save({"other.weight": torch.ones(1)}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="1 keys unexpected"):
        load(bare, device="cpu", text_encoder=folder)
    (folder / "pytorch_model.bin").unlink()
    with pytest.raises(ModelError, match=r"no model\.safetensors, .*no pytorch_model\.bin"):
        load(bare, device="cpu", text_encoder=folder)
