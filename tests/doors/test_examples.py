"""The files in examples/ are those that `make examples` draws, and deixis reads them."""

import json
import runpy
from pathlib import Path

import numpy as np

import deixis

ROOT = Path(__file__).parents[2]


def test_examples_are_up_to_date(tmp_path, monkeypatch):
    """`make examples` writes them; a changed phantom changes them."""
    monkeypatch.setattr("sys.argv", ["make_examples.py", str(tmp_path)])
    runpy.run_path(str(ROOT / "tools" / "make_examples.py"), run_name="__main__")
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == sorted(path.name for path in (ROOT / "examples").iterdir())
    for name in ("phrases.json", "README.md"):
        assert (tmp_path / name).read_text(encoding="utf-8") == (ROOT / "examples" / name).read_text(encoding="utf-8")
    for name in json.loads((tmp_path / "phrases.json").read_text(encoding="utf-8")):
        drawn, kept = deixis.read(tmp_path / name), deixis.read(ROOT / "examples" / name)
        np.testing.assert_allclose(drawn.pixels, kept.pixels, atol=1 / 255)
