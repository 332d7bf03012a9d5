"""From Enter to the drawn map: a further phrase on the page of `deixis serve`, in Debian's Chromium.

    python benchmarks/page_latency.py -o benchmarks/results/page_latency.json

The clock is the browser's own. It starts with the keydown of Enter; "drawn" is when map and boxes are on the canvas,
"shown" is the frame after that, when the screen has them. Each phrase is the second on the page: it is removed again
before the next. Service and browser share this machine's cores, and the browser draws without a GPU. Run it on an idle
machine; the load that it found is told beside the numbers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

FIRST = "pneumothorax with visible pleural line"
FURTHER = tuple(
    f"{size} {what} {where}"
    for size in ("small", "large")
    for what in ("consolidation", "pleural effusion", "pneumothorax", "nodule", "opacity")
    for where in ("on the left", "on the right", "at the right base")
)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
WATCH = """() => {
  window.waits = [];
  let pressed = 0;
  let figures = 0;
  addEventListener("keydown", (event) => {
    if (event.key === "Enter") [pressed, figures] = [performance.now(), document.querySelectorAll(".figures").length];
  }, true);
  document.addEventListener("deixis:drawn", () => {
    if (!pressed || document.querySelectorAll(".figures").length <= figures) return;
    const from = pressed;
    pressed = 0;
    const drawn = performance.now() - from;
    requestAnimationFrame(() => window.waits.push([drawn, performance.now() - from]));
  });
}"""


def measure(recipe: str) -> dict[str, Any]:
    """Milliseconds of every further phrase, and their median."""
    load = os.getloadavg()[0]
    process = subprocess.Popen(
        [sys.executable, "-m", "deixis", "serve", "--port", "0", "-r", recipe],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        address = re.search(r"http://\S+", process.stdout.readline())
        waits = _waits(address[0])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    return {
        "recipe": recipe,
        "milliseconds_drawn": told([drawn for drawn, _ in waits]),
        "milliseconds_shown": told([shown for _, shown in waits]),
        "phrases": len(waits),
        "machine": {"cpu": platform.processor() or platform.machine(), "cores": os.cpu_count()},
        "load_before": round(load, 1),
    }


def _waits(address: str) -> list[list[float]]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(address)
        page.get_by_text("phantom,").wait_for()  # the model is loaded
        page.select_option("#example", "pneumothorax")
        page.wait_for_selector("#chips button")
        page.evaluate(WATCH)
        for phrase in (FIRST, *FURTHER):
            page.fill("#phrase", phrase)
            page.press("#phrase", "Enter")
            page.locator(".figures").nth(int(phrase != FIRST)).wait_for()
            page.wait_for_timeout(150)
            if phrase != FIRST:
                page.click(".phrase >> nth=1 >> .drop")
                page.wait_for_timeout(150)
        waits: list[list[float]] = page.evaluate("window.waits")
        browser.close()
    return waits[1:]


def told(waits: list[float]) -> dict[str, float]:
    """Middle, nine tenths and the longest."""
    return {
        "median": round(statistics.median(waits), 1),
        "nine_tenths": round(statistics.quantiles(waits, n=10)[-1], 1),
        "most": round(max(waits), 1),
    }


def main() -> None:
    """Measure, print, and keep the numbers where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-r", "--recipe", default="instant")
    parser.add_argument("-o", "--output", type=Path)
    arguments = parser.parse_args()
    numbers = json.dumps(measure(arguments.recipe), indent=2)
    print(numbers)
    if arguments.output:
        arguments.output.write_text(numbers + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
