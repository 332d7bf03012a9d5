"""What every engine promises: order, workers that are made once, deaths in either step, and errors as they are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deixis.crew import ENGINES

ROOT = Path(__file__).parents[2]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", list(ENGINES))
def test_items_come_back_in_order_through_deaths_and_errors_as_they_are(name, tmp_path):
    """One item kills who prepares it and another who works on it, once each; the second work refuses."""
    path = os.pathsep.join([str(ROOT / "tests"), str(ROOT / "src")])
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests" / "engine_work.py"), name, str(tmp_path)],
        capture_output=True, text=True, check=False, timeout=500, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told == {"items": list(range(8)), "refused": "ManifestError: item 1 is refused"}
    notes = {note.name for note in tmp_path.iterdir()}
    assert {"2", "4"} <= notes
    assert 2 <= len([note for note in notes if note.startswith("made-")]) <= 5
