"""The loss of every stage over its steps, as a picture beside log.csv."""

from __future__ import annotations

from pathlib import Path

from deixis.training.loop import read_log


def plot_losses(folder: Path) -> Path:
    """Draw ``log.csv`` of a training folder into ``loss.png``, one panel per stage, both axes logarithmic.

    Needs matplotlib (extra `eval`).
    """
    from matplotlib.figure import Figure

    rows = read_log(folder)
    stages = tuple(dict.fromkeys(row[0] for row in rows))
    figure = Figure(figsize=(4 * max(1, len(stages)), 3), layout="constrained")
    for place, stage in enumerate(stages, start=1):
        own = [row for row in rows if row[0] == stage]
        axes = figure.add_subplot(1, len(stages), place)
        axes.plot([row[1] for row in own], [row[2] for row in own], linewidth=1)
        axes.set(title=stage.replace("_", " "), xlabel="step", ylabel="loss", xscale="log", yscale="log")
        axes.grid(alpha=0.3, which="both")
    target = folder / "loss.png"
    figure.savefig(target, dpi=110)
    return target
