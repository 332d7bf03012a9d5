"""Debian's Chromium under Playwright, as offline as a browser can be told to be."""

import os
from contextlib import contextmanager
from pathlib import Path

import needs

QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
ARTEFACTS = "DEIXIS_ARTEFACTS"  # where screenshots are kept, for whoever looks at them


@contextmanager
def chromium():
    """A browser; skips where the package is missing."""
    from playwright.sync_api import sync_playwright

    path = needs.program("chromium", package="chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        try:
            yield browser
        finally:
            browser.close()


def kept(folder: Path, name: str) -> Path:
    """Where a screenshot goes: the folder that the environment names, or the test's own."""
    place = Path(os.environ.get(ARTEFACTS) or folder)
    place.mkdir(parents=True, exist_ok=True)
    return place / name
