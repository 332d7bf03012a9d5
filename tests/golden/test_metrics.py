"""The published metrics give the published values on the golden maps."""

import json
from pathlib import Path

import numpy as np
import pytest

from deixis.metrics.published import published_auc, published_cnr, published_miou
from deixis.types import Box

GOLDEN = Path(__file__).parent / "metrics"
EXPECTED = json.loads((GOLDEN / "metrics_expected.json").read_text())


@pytest.mark.parametrize("number", range(len(EXPECTED)))
def test_published_values(number: int) -> None:
    """Within 1e-5 of what the published code printed, for signed and absolute CNR, mIoU and the binned AUC."""
    wanted = EXPECTED[number]
    with np.load(GOLDEN / "metrics_heatmaps.npz") as maps:
        heat = maps[f"heatmap_{number}"]
    boxes = [Box(x, y, x + w, y + h) for x, y, w, h in wanted["boxes_xywh"]]
    assert published_cnr(heat, boxes) == pytest.approx(wanted["cnr"], abs=1e-5)
    assert published_cnr(heat, boxes, absolute=True) == pytest.approx(wanted["cnr_abs"], abs=1e-5)
    assert published_miou(heat, boxes) == pytest.approx(wanted["miou"], abs=1e-5)
    assert published_auc(heat, boxes) == pytest.approx(wanted["auc_roc_binned5"], abs=1e-5)
