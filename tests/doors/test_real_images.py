"""Real radiographs, where they are at hand: read and grounded in every format, with the demonstration's notice."""

from pathlib import Path

import numpy as np
import pytest
from calling import call, document

import deixis

REAL = Path(__file__).parents[3] / "shared" / "data" / "real"
FILES = sorted(REAL.glob("*.*"))

pytestmark = pytest.mark.skipif(not FILES, reason="no real images beside the repository")


def test_opposite_labels_on_the_same_values_give_opposite_images():
    turned, plain = (deixis.read(REAL / name) for name in ("cr_mono1_variant.dcm", "cr_jpeg_baseline_mono2.dcm"))
    np.testing.assert_allclose(turned.pixels, 1 - plain.pixels, atol=1 / 255)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_file_is_grounded_and_its_output_carries_the_notice(capsys, place, bundled):
    done = call(capsys, "ground", *FILES, "-p", "pleural effusion", "-p", "cardiomegaly", "-o", "out")
    assert done.code == 0, done.err
    assert "synthetic images only" in done.out
    for file in FILES:
        (image,) = document(place / "out" / file.stem)["images"]
        for found in image["groundings"]:
            assert any("synthetic images only" in notice for notice in found["provenance"]["notices"])
