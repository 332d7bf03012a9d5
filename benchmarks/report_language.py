"""How well reports are read: precision and recall against hand labels of real sentences, errors by their places.

    python benchmarks/report_language.py test --json benchmarks/results/report_language.json

The halves are "development", on which the rules were made, and "test", read once by the finished rules; "fresh" are
sentences drawn and labelled after that. Intervals are Wilson's, 95 %. Errors are told by document and offsets: the
reports' text is not ours to print.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from openi import ARCHIVE, Compared, Errors, Item, Rate, compared, errors, precision_recall

MEASURED = {"present": "positive findings", "absent": "negation", "uncertain": "uncertainty", None: "any status"}


def told(rate: Rate) -> dict[str, float | int | list[float]]:
    low, high = rate.interval
    return {
        "value": round(rate.value, 4),
        "low": round(low, 4),
        "high": round(high, 4),
        "hits": rate.hits,
        "of": rate.of,
    }


def places(found: tuple[tuple[Compared, Item], ...]) -> list[str]:
    return [f"{case.document} {case.section} {one.start}-{one.end} {one.category} {one.status}" for case, one in found]


def listed(wrong: Errors) -> dict[str, list[str]]:
    return {"missed": places(wrong.missed), "invented": places(wrong.invented)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("half", nargs="+", choices=("development", "test", "fresh"))
    parser.add_argument("--archive", type=Path, default=ARCHIVE)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    result = {}
    for half in asked.half:
        labels = "openi_fresh.json" if half == "fresh" else "openi_sentences.json"
        cases = compared(half, labels, asked.archive)
        scores = {}
        for status, name in MEASURED.items():
            precision, recall = precision_recall(cases, status)
            scores[name] = {"precision": told(precision), "recall": told(recall)}
            print(
                f"{half:12} {name:18} precision {precision.value:.3f} [{precision.interval[0]:.3f}, "
                f"{precision.interval[1]:.3f}] of {precision.of}, recall {recall.value:.3f} "
                f"[{recall.interval[0]:.3f}, {recall.interval[1]:.3f}] of {recall.of}"
            )
        result[half] = {"sentences": len(cases), "scores": scores, "errors": listed(errors(cases, None))}
        result[half]["status_errors"] = {
            status: listed(errors(cases, status)) for status in ("present", "absent", "uncertain", "prior")
        }
        for status in ("present", "absent", "uncertain"):
            for kind, lines in listed(errors(cases, status)).items():
                for line in lines:
                    print(f"  {kind}: {line}")
    if asked.json:
        asked.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
