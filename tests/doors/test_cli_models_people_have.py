"""`deixis ground -m FOLDER`, `models check` and `models convert` on folders of every family, random weights."""

from pathlib import Path

import pytest

from deixis.cli.app import main
from monai_bundle import write_bundle
from tiny_model import write_tiny_model
from tiny_sdxl import write_tiny_sdxl

IMAGE = Path(__file__).parents[2] / "examples" / "effusion.png"


def grounded(folder: Path, out: Path, *more: str) -> bool:
    told = ["ground", str(IMAGE), "-p", "left lung", "-m", str(folder), "-r", "fast", "-o", str(out), *more]
    return main(told) == 0 and bool(list(out.rglob("*.npz")))


def test_stable_diffusion_folder(tmp_path):
    assert grounded(write_tiny_model(tmp_path / "sd"), tmp_path / "out")


def test_stable_diffusion_xl_folder(tmp_path):
    assert grounded(write_tiny_sdxl(tmp_path / "xl"), tmp_path / "out")


def test_monai_bundle_with_a_text_encoder_given(tmp_path):
    pytest.importorskip("monai", reason="needs the extra: pip install 'deixis[monai]'")
    words = write_tiny_model(tmp_path / "words", width=64)
    bundle = write_bundle(tmp_path / "bundle")
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
