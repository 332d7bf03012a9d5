"""`report.html` in a real browser: in light and dark, and one finding lit up at a time without a script."""

import subprocess
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

import needs
from deixis.writers.report_page import page
from unit.writers.making import grounded_report

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--hide-scrollbars", "--window-size=1200,800", "--virtual-time-budget=2000",
)  # fmt: skip
DARK, LIGHT = 0, 1


@pytest.fixture
def shot(tmp_path):
    """A page as Chromium draws it, RGB [y x 3]."""
    chromium = needs.program("chromium", package="chromium")

    def drawn(html: str, scheme: int = LIGHT) -> np.ndarray:
        source, picture = tmp_path / "report.html", tmp_path / "shot.png"
        source.write_text(html, encoding="utf-8")
        profile = Path(tmp_path / f"profile-{len(list(tmp_path.iterdir()))}")
        settings = f"--blink-settings=preferredColorScheme={scheme}", f"--user-data-dir={profile}"
        subprocess.run(
            [chromium, *QUIET, *settings, f"--screenshot={picture}", source.as_uri()],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        return np.asarray(PIL.Image.open(picture).convert("RGB"), float)

    return drawn


def test_light_and_dark_have_their_own_ground_and_legible_letters(shot):
    html = page(grounded_report())
    for scheme, low, high in ((LIGHT, 240, 256), (DARK, 0, 40)):
        drawn = shot(html, scheme)
        corner = drawn[-3:, -3:].mean()
        assert low <= corner < high
        # The text's half: ground and letters lie far apart.
        assert np.ptp(drawn[:, 650:].mean(-1)) > 150


def test_a_finding_that_is_pointed_at_dims_the_others(shot):
    """Focus stands for the pointer: both go by the same rule."""
    html = page(grounded_report(shape=(600, 800)))
    plain = shot(html)
    lit = shot(html.replace('<mark data-n="2"', '<mark autofocus data-n="2"', 1).replace("transition:opacity .12s", ""))
    picture = np.s_[70:500, 30:580]
    assert np.abs(plain[picture] - lit[picture]).max() > 40


def test_an_unticked_layer_is_gone(shot):
    html = page(grounded_report("FINDINGS: Right effusion.", shape=(600, 800)))
    picture = np.s_[70:500, 30:580]
    shown = shot(html)[picture]
    hidden = shot(html.replace('id="show-1" checked', 'id="show-1"'))[picture]
    colourful = [np.ptp(one, axis=-1).max() for one in (shown, hidden)]
    assert colourful[0] > 60
    assert colourful[1] < 8
