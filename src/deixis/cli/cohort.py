"""What is said of a cohort: how far it is, what came out, what failed, what to expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from deixis.cli import console

if TYPE_CHECKING:
    from deixis.cohort.folder import Total
    from deixis.cohort.forecast import Forecast
    from deixis.cohort.items import Failure
    from deixis.cohort.run import Progress

# Failures that are shown one by one; the file has all of them.
SHOWN = 20
UNITS = ((86400, "d"), (3600, "h"), (60, "min"))


def told_progress(at: Progress) -> str:
    """Rate, time left, failures so far."""
    failed = f", {at.failed} failed" if at.failed else ""
    left = "" if at.left is None else f", {duration(at.left)} left"
    return f"{at.rate:.2f} images/s{left}{failed}"


def show_total(total: Total, output: Path) -> None:
    """Counts, where results are, and the table of what failed."""
    console.say(f"{total.images} images, {total.rows} answers in {output}")
    if total.failures:
        show_failures(total.failures)
        console.complain(f"{len(total.failures)} failed, all else is done; {output / '_errors.jsonl'} lists them.")


def show_failures(failures: Sequence[Failure]) -> None:
    """The first of them one by one, and how many there are of each kind."""
    rows = console.table("row", "image", "kind", "reason")
    for one in failures[:SHOWN]:
        rows.add_row(str(one.row), one.image or "–", one.kind, one.reason)
    console.results().print(rows)
    kinds = Counter(failure.kind for failure in failures)
    if len(failures) > SHOWN:
        console.say(
            f"… and {len(failures) - SHOWN} more. By kind: {', '.join(f'{n} {kind}' for kind, n in kinds.items())}"
        )


def show_forecast(found: Forecast) -> None:
    """What a run would take, and what would fail."""
    told = {
        "images": f"{found.images:,} in {found.blocks:,} files of results",
        "readable": f"{found.readable} of {found.sampled} that were tried",
        "an image": f"{found.image_seconds:.2f} s of a worker, {size(found.image_bytes)} of results",
        "time": f"{duration(found.seconds)} with {found.workers} workers such as one on this machine",
        "space": size(found.bytes),
        "memory": f"{size(found.worker_bytes)} a worker",
    }
    for name, value in told.items():
        console.say(f"{name:<10} {value}")
    if found.failures:
        show_failures(found.failures)


def duration(seconds: float) -> str:
    """Seconds in the largest unit of which there is one at least."""
    return next((f"{seconds / unit:.1f} {name}" for unit, name in UNITS if seconds >= unit), f"{seconds:.0f} s")


def size(count: float) -> str:
    """Bytes in the largest unit of which there is one at least."""
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if count < 1024 or unit == "TiB":
            break
        count /= 1024
    return f"{count:.1f} {unit}"
