"""`deixis ground -m FOLDER`, `models check` and `models convert` on folders of every family, random weights."""

from pathlib import Path

import pytest

from deixis.cli.app import main
from monai_bundle import write_bundle
from tiny_bert import write_bare_unet, write_bert_ldm, write_cxr_bert, write_radedit, write_vae
from tiny_lora import write_lora
from tiny_model import write_tiny_model, write_tiny_sd2
from tiny_pixart import write_pixart
from tiny_sdxl import write_tiny_sdxl
from tiny_single_file import write_single_file, write_tokenizer

IMAGE = Path(__file__).parents[2] / "examples" / "effusion.png"


def grounded(model: Path | str, out: Path, *more: str) -> bool:
    told = ["ground", str(IMAGE), "-p", "left lung", "-m", str(model), "-r", "fast", "-o", str(out), *more]
    return main(told) == 0 and bool(list(out.rglob("*.npz")))


def test_stable_diffusion_folder(tmp_path):
    assert grounded(write_tiny_model(tmp_path / "sd"), tmp_path / "out")


def test_stable_diffusion_2_folder(tmp_path):
    assert grounded(write_tiny_sd2(tmp_path / "sd"), tmp_path / "out")


def test_stable_diffusion_xl_folder(tmp_path):
    assert grounded(write_tiny_sdxl(tmp_path / "xl"), tmp_path / "out")


def test_lora_on_a_folder(tmp_path):
    pytest.importorskip("peft", reason="writes adapters with peft")
    write_lora(tmp_path / "lora")
    assert grounded(write_tiny_model(tmp_path / "sd"), tmp_path / "out", "--lora", str(tmp_path / "lora"))


@pytest.mark.parametrize("name", ["model.safetensors", "model.ckpt"])
def test_single_file(tmp_path, name):
    write_single_file(tmp_path / name)
    words = write_tokenizer(tmp_path / "words")
    assert grounded(tmp_path / name, tmp_path / "out", "--text-encoder", str(words))


def test_stable_diffusion_under_a_bert(tmp_path):
    assert grounded(write_bert_ldm(tmp_path / "ldm"), tmp_path / "out")


def test_bare_unet_by_its_name(tmp_path, monkeypatch):
    """RadEdit and the two parts that it takes, each in a folder of its name: the catalog row puts them together."""
    write_bare_unet(tmp_path / "radedit")
    write_cxr_bert(tmp_path / "biovil-t", positions=128)
    write_vae(tmp_path / "sdxl-vae")
    monkeypatch.setenv("DEIXIS_MODELS", str(tmp_path))
    assert grounded("radedit", tmp_path / "out")


def test_bare_unet_with_its_parts_named(tmp_path):
    assert grounded(write_radedit(tmp_path), tmp_path / "out")


def test_pixart_folder(tmp_path):
    pytest.importorskip("sentencepiece", reason="needs the extra: pip install 'deixis[pixart]'")
    assert grounded(write_pixart(tmp_path / "sigma"), tmp_path / "out")


@pytest.mark.parametrize("style", ["old", "new", "safetensors"])
def test_monai_bundle_with_a_text_encoder_given(tmp_path, style):
    pytest.importorskip("monai", reason="needs the extra: pip install 'deixis[monai]'")
    words = write_tiny_model(tmp_path / "words", width=64)
    bundle = write_bundle(tmp_path / "bundle", style=style)
    assert grounded(bundle, tmp_path / "out", "--text-encoder", str(words))
    assert not grounded(bundle, tmp_path / "none")


def test_check_says_what_a_model_is(tmp_path, capsys):
    """Family, hash, sites, which recipes fit, and that one evaluation was heard; for a name too."""
    folder = write_tiny_model(tmp_path / "sd")
    assert main(["models", "check", str(folder)]) == 0
    told = capsys.readouterr().out
    for part in ("family diffusers-ldm", "1:4×4", "reads sites 1, 2, 4", "7 of 7 sites heard", "is finite"):
        assert part in told
    assert main(["models", "check", str(tmp_path / "absent")]) == 2


def test_convert_rewrites_pickles_and_the_model_stays_the_same(tmp_path, capsys):
    """The new folder has safetensors only and answers as before; an existing one is refused."""
    pytest.importorskip("monai", reason="needs the extra: pip install 'deixis[monai]'")
    words = write_tiny_model(tmp_path / "words", width=64)
    bundle, target = write_bundle(tmp_path / "bundle"), tmp_path / "new"
    assert main(["models", "convert", str(bundle), str(target)]) == 0
    assert str(target / "models" / "autoencoder.safetensors") in capsys.readouterr().out
    assert {file.suffix for file in target.rglob("*") if file.is_file()} == {".json", ".safetensors"}
    assert grounded(target, tmp_path / "out", "--text-encoder", str(words))
    assert main(["models", "convert", str(bundle), str(target)]) == 2
    assert main(["models", "convert", str(target), str(tmp_path / "again")]) == 2
    assert not (tmp_path / "again").exists()


def test_a_pickled_stable_diffusion_folder_is_converted(tmp_path):
    """diffusers and transformers name their pickles differently; both names come out right."""
    import torch
    from safetensors.torch import load_file

    folder = write_tiny_model(tmp_path / "sd")
    for file in list(folder.rglob("*.safetensors")):
        stem = {"model": "pytorch_model"}.get(file.stem, file.stem)
        torch.save(load_file(file), file.with_name(f"{stem}.bin"))
        file.unlink()
    assert grounded(folder, tmp_path / "pickled")
    assert main(["models", "convert", str(folder), str(tmp_path / "new")]) == 0
    assert grounded(tmp_path / "new", tmp_path / "out")


def test_recipes_say_what_they_read_of_a_model_and_why(tmp_path, capsys):
    """A UNet by its grids, a transformer by its depth, the published network by the published share of steps."""
    monai = pytest.importorskip("monai", reason="needs the extra: pip install 'deixis[monai]'")
    assert monai
    words = write_tiny_model(tmp_path / "words", width=64)
    bundle = write_bundle(tmp_path / "bundle")
    assert main(["recipes", "paper", "-m", str(bundle), "--text-encoder", str(words)]) == 0
    told = capsys.readouterr().out
    assert "60 steps, timesteps 360 to 537" in told
    assert "published share (0.4, 0.6) of the steps, on the published noise schedule" in told
    assert main(["recipes", "paper", "-m", str(write_bert_ldm(tmp_path / "ldm"))]) == 0
    assert "image's side / 32" in capsys.readouterr().out
    pytest.importorskip("sentencepiece", reason="needs the extra: pip install 'deixis[pixart]'")
    assert main(["recipes", "paper", "-m", str(write_pixart(tmp_path / "sigma"))]) == 0
    told = capsys.readouterr().out
    assert "depth is carried over" in told


def test_the_list_tells_licence_gate_size_and_place(tmp_path, monkeypatch, capsys):
    """Of what is here, of what is not, and of a folder of the user's own; a hub id and a name are one row."""
    write_tiny_model(tmp_path / "RoentGen-v2")
    write_tiny_model(tmp_path / "mine")
    monkeypatch.setenv("DEIXIS_MODELS", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "400")
    assert main(["models"]) == 0
    rows = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert "access request" in rows["roentgen"]
    assert rows["roentgen"].rstrip().endswith("not here")
    assert str(tmp_path / "RoentGen-v2") in rows["roentgen-v2"]
    assert "diffusers-ldm" in rows["mine"]
    assert "text encoder" in rows["cxr-bert"]
