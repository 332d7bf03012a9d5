"""What transfers: an ablation beside the same on a second model and on shifted phantoms, in one picture.

    python benchmarks/transfer.py benchmarks/results/ablation.json benchmarks/results/ablation_second.json \\
      benchmarks/results/ablation_shifted.json -o docs/images/transfer.png

Prints a markdown table of mIoU and pointing and draws mIoU. A row is a reading with the finish of `best`, in the order
of the first file.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

READINGS = (
    "words 0..3", "content 0..3", "words-over-begin 0..3", "words-less-null 0..3", "words-entmax 0..3",
    "words-kept-queries 0..3", "words-told-all 0..3", "end 0..3", "information -3..3", "projection -3..3",
    "response 0..3", "guided-iterated 0..3", "guided 0..3", "guided 0..3, alike", "guided 0..3, location-prior",
    "likelihood -3..3", "best without named-side", "best",
)  # fmt: skip
COLOURS = ("#0b6e99", "#e07b39", "#6a9a3b")


def name_of(result: dict[str, Any]) -> str:
    """What was asked of what."""
    model = "bundled model" if result["model"] == "phantom" else "second model"
    return f"{model}, {'shifted' if result['shifted'] else 'validation'} phantoms, {result['phrases']} phrases"


def rows_of(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By reading."""
    return {row["name"]: row for row in result["rows"] if row["name"] in READINGS}


def table(results: list[dict[str, Any]], names: list[str]) -> str:
    """mIoU and pointing of every reading under every condition."""
    lines = [
        f"| reading | {' | '.join(map(name_of, results))} |",
        "|---" * (len(results) + 1) + "|",
    ]
    for name in names:
        rows = [rows_of(result)[name] for result in results]
        cells = " | ".join(f"{row['miou']:.3f} / {row['pointing']:.3f}" for row in rows)
        lines.append(f"| `{name}` | {cells} |")
    return "\n".join(lines)


def draw(results: list[dict[str, Any]], names: list[str], file: Path) -> None:
    """One group of dots per reading."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(7.5, 0.3 * len(names) + 1.2), layout="constrained")
    for result, colour in zip(results, COLOURS, strict=False):
        rows = rows_of(result)
        axes.plot([rows[name]["miou"] for name in names], range(len(names)), "o", color=colour, label=name_of(result))
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.grid(axis="y", color="#e4e4e4")
    axes.set(xlabel="mean IoU over thresholds .1 to .5, mean over classes", xlim=(0, None))
    axes.legend(fontsize=8, loc="lower right")
    figure.savefig(file, dpi=110)
    plt.close(figure)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("-o", "--output", type=Path, required=True)
    asked = parser.parse_args()
    results = [json.loads(file.read_text(encoding="utf-8")) for file in asked.results]
    shared = [name for name in READINGS if all(name in rows_of(result) for result in results)]
    names = sorted(shared, key=lambda name: rows_of(results[0])[name]["miou"])
    print(table(results, names[::-1]))
    draw(results, names, asked.output)


if __name__ == "__main__":
    main()
