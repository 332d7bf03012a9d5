"""`deixis phantom` and `deixis train`, as a user would call them, at the smallest size."""

from pathlib import Path

import pytest

from deixis.cli.app import main


def test_phantom_writes_a_set(tmp_path: Path) -> None:
    """Images, table and masks are there; a second call into the same folder is refused."""
    assert main(["phantom", "-n", "2", "-o", str(tmp_path / "set")]) == 0
    assert len(list((tmp_path / "set").rglob("*.jpg"))) == 2
    assert (tmp_path / "set" / "MS_CXR_Local_Alignment_v1.1.0.csv").exists()
    assert main(["phantom", "-n", "2", "-o", str(tmp_path / "set")]) == 2


def test_train_makes_a_model_that_grounds(tmp_path: Path) -> None:
    """A few steps on small images give a folder that `deixis ground -m` takes."""
    folder = tmp_path / "training"
    assert main(["train", "-o", str(folder), "--seeds", "10:14", "--size", "64", "--steps", "2,2,2"]) == 0
    assert (folder / "log.csv").exists()
    example = Path(__file__).parents[2] / "examples" / "effusion.png"
    told = ["ground", str(example), "-p", "effusion", "-m", str(folder / "model"), "-o", str(tmp_path / "out")]
    assert main(told) == 0
    assert list((tmp_path / "out").rglob("*.npz"))


@pytest.mark.parametrize("steps", ["2,2", "a,b,c", "0,1,1", "1,2,3,4"])
def test_wrong_steps_are_a_usage_error(tmp_path: Path, steps: str) -> None:
    """One line, exit code 2, nothing made."""
    assert main(["train", "-o", str(tmp_path / "t"), "--steps", steps]) == 2
    assert not (tmp_path / "t").exists()


@pytest.mark.parametrize("seeds", ["7", "9:9", "5:2", "a:b", "1:2:3", "-1:4"])
def test_wrong_seeds_are_a_usage_error(tmp_path: Path, seeds: str) -> None:
    """One line, exit code 2, nothing made."""
    assert main(["train", "-o", str(tmp_path / "t"), f"--seeds={seeds}"]) == 2
    assert not (tmp_path / "t").exists()
