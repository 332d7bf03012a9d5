"""`deixis ground -m FOLDER` on a folder of every family, random weights in the real layouts."""

from pathlib import Path

import pytest

from deixis.cli.app import main
from monai_bundle import write_bundle
from tiny_model import write_tiny_model

IMAGE = Path(__file__).parents[2] / "examples" / "effusion.png"


def grounded(folder: Path, out: Path, *more: str) -> bool:
    told = ["ground", str(IMAGE), "-p", "left lung", "-m", str(folder), "-r", "fast", "-o", str(out), *more]
    return main(told) == 0 and bool(list(out.rglob("*.npz")))


def test_stable_diffusion_folder(tmp_path):
    assert grounded(write_tiny_model(tmp_path / "sd"), tmp_path / "out")


def test_monai_bundle_with_a_text_encoder_given(tmp_path):
    pytest.importorskip("monai", reason="needs the extra: pip install 'deixis[monai]'")
    words = write_tiny_model(tmp_path / "words", width=64)
    bundle = write_bundle(tmp_path / "bundle")
    assert grounded(bundle, tmp_path / "out", "--text-encoder", str(words))
    assert not grounded(bundle, tmp_path / "none")
