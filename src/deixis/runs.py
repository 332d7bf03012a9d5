"""A long evaluation in a folder: one line per case as it comes, and going on where it was broken off.

The folder holds `run.json`, which says what is evaluated, and `cases.jsonl`. A line is written when its image is done,
and reaches the disk before the next image begins; what a killed run leaves of a line is cut off when it goes on.
"""

from __future__ import annotations

import itertools
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from deixis.controls import Views, reading, standing
from deixis.crew import ENGINES, Crew, Work, as_it_is
from deixis.datasets import DATASETS, Collection, Wanted
from deixis.errors import OutputError
from deixis.evaluate import Answer, Find, Report, Row, image_of, score
from deixis.images import read
from deixis.laterality import side_named
from deixis.metrics import METRICS
from deixis.models.loading import load
from deixis.predictions import Predictions
from deixis.recipes import DEFAULT
from deixis.recipes import recipe as recipe_named
from deixis.types import Box, Case, Image, LatentModel

RUN, CASES, TIMES = "run.json", "cases.jsonl", "times.jsonl"
SCHEMA = "deixis.run/1"
OWN = "own"
# Cases of the training split on which priors are fitted.
PRIOR_CASES = 1000


@dataclass(frozen=True)
class Order:
    """What is evaluated; a run goes on only under the same one.

    Args:
        dataset: a row of the table of datasets.
        wanted: which part of it.
        model: what `deixis.load` takes.
        recipe: its name.
        device: where the model runs.
        seed: which noise.
        text_encoder: as for `deixis.load`.
        without: patients that are left out.
        prior_cases: cases of the training split on which priors are fitted; 0 for no priors.
        predictions: folder of another system's answers, in place of a model's; see `deixis.predictions`.
    """

    dataset: str
    wanted: Wanted
    model: str = "phantom"
    recipe: str = DEFAULT
    device: str = "cpu"
    seed: int = 0
    text_encoder: str | None = None
    without: tuple[str, ...] = ()
    predictions: Path | None = None
    prior_cases: int = PRIOR_CASES

    def config(self, model: LatentModel | None) -> dict[str, Any]:
        """All that an answer depends on, as plain data."""
        part = self.wanted
        return {
            "schema": SCHEMA,
            "dataset": self.dataset,
            "root": None if part.root is None else str(part.root.resolve()),
            "split": part.split,
            "language": part.language,
            "limit": part.limit,
            "options": dict(part.options),
            **self._answering(model),
            "seed": self.seed,
            "without": list(self.without),
            "metrics": list(METRICS.names()),
            "prior_cases": self.prior_cases,
        }

    def _answering(self, model: LatentModel | None) -> dict[str, Any]:
        """Who answers: a model under a recipe, or a folder."""
        if model is None or self.predictions is not None:
            name = str(self.predictions)
            return {"model": name, "weights_sha256": None, "recipe": {"name": "predictions"}}
        recipe = json.loads(json.dumps(asdict(recipe_named(self.recipe))))
        return {"model": model.spec.name, "weights_sha256": model.spec.weights_sha256, "recipe": recipe}


@dataclass(frozen=True)
class Record:
    """A line: one case with the scores of the method and of every control.

    Args:
        row: of the method itself.
        scores: by control and metric.
        split: of the case.
        truth: its boxes.
        failures: of controls, with reasons.
    """

    row: Row
    scores: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    split: str | None = None
    truth: tuple[Box, ...] = ()
    failures: Mapping[str, str] = field(default_factory=dict)

    def line(self) -> str:
        """As JSON on one line. Seconds are kept elsewhere: two runs of the same are equal to the last byte."""
        row = {name: value for name, value in asdict(self.row).items() if name != "seconds"}
        content = {**asdict(self), "row": row}
        return json.dumps(finite(content), ensure_ascii=False) + "\n"

    @classmethod
    def read(cls, line: str) -> Record:
        """The record of a line."""
        content = json.loads(line)
        row = content.pop("row")
        row["found"] = tuple(Box(**box) for box in row["found"])
        row["scores"] = _numbers(row["scores"])
        scores = {name: _numbers(given) for name, given in content.pop("scores").items()}
        truth = tuple(Box(**box) for box in content.pop("truth"))
        return cls(Row(**row), scores, truth=truth, **content)


class RunFolder:
    """The folder of a run, new or going on."""

    def __init__(self, folder: Path, config: Mapping[str, Any]) -> None:
        """Take a folder for this configuration; one of another configuration raises `OutputError` saying where."""
        self.folder, self.config = folder, config
        folder.mkdir(parents=True, exist_ok=True)
        known = folder / RUN
        if known.exists():
            _check_same(json.loads(known.read_text(encoding="utf-8")), config, folder)
        elif any(folder.iterdir()):
            raise OutputError(f"{folder} holds files, and no run. Name an empty or a new folder.")
        else:
            aside = folder / f"{RUN}.part"
            aside.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
            aside.replace(known)
        self._mend()

    def records(self) -> tuple[Record, ...]:
        """All lines so far, in order."""
        return read_records(self.folder)

    def append(self, records: Sequence[Record]) -> None:
        """Write the lines of one image, and wait until they are on the disk."""
        with (self.folder / CASES).open("a", encoding="utf-8") as lines:
            lines.write("".join(record.line() for record in records))
            lines.flush()
            os.fsync(lines.fileno())
        with (self.folder / TIMES).open("a", encoding="utf-8") as times:
            times.writelines(json.dumps({"case": r.row.case, "seconds": r.row.seconds}) + "\n" for r in records)

    def _mend(self) -> None:
        """Cut off what a killed run left of a line."""
        file = self.folder / CASES
        content = file.read_bytes() if file.exists() else b""
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            with file.open("r+b") as opened:
                opened.truncate(whole)


def read_records(folder: Path) -> tuple[Record, ...]:
    """The lines of a run; a last line that was not finished is left out."""
    file = folder / CASES
    if not file.exists():
        return ()
    lines = file.read_text(encoding="utf-8").split("\n")
    return tuple(Record.read(line) for line in lines[:-1])


class Examiner:
    """Everything that one process needs to examine images: the cases, the model, the controls."""

    def __init__(self, order: Order) -> None:
        self.order = order
        given = order.predictions
        self.model = None if given is not None else load(order.model, order.device, text_encoder=order.text_encoder)
        self.collection = _collected(order)
        cases = list(self.collection)
        self.groups = tuple(tuple(group) for _, group in itertools.groupby(cases, key=image_of))
        views = None if self.model is None else Views(self.model, order.recipe, seed=order.seed)
        self._own: Find = _answering(views, given)
        self._controls = standing(views, cases, _training(order))

    def show(self, case_id: str) -> tuple[Case, Answer, Image]:
        """A case by its id, answered again, with its image: for a gallery."""
        case = next(one for group in self.groups for one in group if one.id == case_id)
        (answer,) = self._own([case])
        return case, answer, case.image if isinstance(case.image, Image) else read(case.image)

    def examine(self, index: int) -> list[Record]:
        """The records of one image, by its place among the groups."""
        cases = self.groups[index]
        names = METRICS.names()
        rows = score(cases, self._own, names, curves=True)
        if any(row.failure for row in rows):
            return [_record(case, row, {}) for case, row in zip(cases, rows, strict=True)]
        others = {name: score(_asked(name, cases), find, names) for name, find in self._controls.items()}
        by_case = {name: {row.case: row for row in found} for name, found in others.items()}
        return [
            _record(case, row, {name: found[case.id] for name, found in by_case.items() if case.id in found})
            for case, row in zip(cases, rows, strict=True)
        ]


def read_run(folder: Path) -> tuple[tuple[Record, ...], dict[str, Any]]:
    """The lines and the configuration of a run; a folder that holds none raises `OutputError`."""
    if not (folder / RUN).is_file():
        raise OutputError(f"{folder} holds no run. Name a folder that `deixis evaluate` wrote.")
    return read_records(folder), json.loads((folder / RUN).read_text(encoding="utf-8"))


def unfinished(groups: Sequence[Sequence[Case]], done: Sequence[Record]) -> list[int]:
    """Places of the groups of which a case has no line yet."""
    known = {record.row.case for record in done}
    return [index for index, group in enumerate(groups) if not {case.id for case in group} <= known]


def examined(order: Order, examiner: Examiner, indices: Sequence[int], crew: Crew) -> Iterator[list[Record]]:
    """Records of the images in order; with several workers, or others than this process, each has its own examiner."""
    if crew == Crew(workers=1, threads=crew.threads):
        return map(examiner.examine, indices)
    work = Work[int, int, list[Record]](as_it_is, partial(_examining, order, crew.threads))
    return ENGINES[crew.engine](work, indices, crew)


def report_of(records: Sequence[Record], config: Mapping[str, Any], method: str = OWN) -> Report:
    """The rows of the method itself, or of a control by its name."""
    if method == OWN:
        return Report(tuple(record.row for record in records), config)
    rows = [_with(record.row, record.scores[method]) for record in records if method in record.scores]
    return Report(tuple(rows), config)


def _examining(order: Order, threads: int) -> Callable[[int], list[Record]]:
    """Once in each worker."""
    import torch

    torch.set_num_threads(threads)
    return Examiner(order).examine


def _answering(views: Views | None, given: Path | None) -> Find:
    if views is not None:
        return reading(views)
    if given is None:
        raise OutputError("There is neither a model nor a folder of predictions to evaluate.")
    return Predictions(given)


def _collected(order: Order) -> Collection:
    collection = DATASETS[order.dataset].read(order.wanted)
    if not order.without:
        return collection
    kept = tuple(make for make in collection.makers if make().patient not in order.without)
    return Collection(kept, collection.notes, collection.phrases)


def _training(order: Order) -> list[Case]:
    """Cases of the training split, for the priors; none where the dataset has no such split."""
    part = order.wanted
    if part.split == "train" or not order.prior_cases:
        return []
    wanted = Wanted(part.root, "train", part.language, order.prior_cases, part.options)
    return list(DATASETS[order.dataset].read(wanted))


def _asked(control: str, cases: Sequence[Case]) -> list[Case]:
    """The cases for which a control has a question: a side can be swapped only where one is named."""
    if control != "swapped_side":
        return list(cases)
    return [case for case in cases if side_named(case.phrase.text) is not None]


def _record(case: Case, row: Row, controls: Mapping[str, Row]) -> Record:
    return Record(
        row,
        {name: other.scores for name, other in controls.items() if other.failure is None},
        case.split,
        case.boxes,
        {name: other.failure for name, other in controls.items() if other.failure is not None},
    )


def _with(row: Row, scores: Mapping[str, float]) -> Row:
    return Row(row.case, row.patient, row.category, row.phrase, row.names_place, scores)


def _check_same(known: Mapping[str, Any], config: Mapping[str, Any], folder: Path) -> None:
    other = [name for name in {*known, *config} if known.get(name) != config.get(name)]
    if other:
        told = "; ".join(f"{name}: {known.get(name)!r} there, {config.get(name)!r} now" for name in sorted(other))
        raise OutputError(f"{folder} holds a run of another configuration ({told}). Name another folder.")


def finite(value: Any) -> Any:
    """JSON knows no NaN: what is not finite becomes null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    return [finite(one) for one in value] if isinstance(value, list | tuple) else value


def _numbers(scores: Mapping[str, float | None]) -> dict[str, float]:
    return {name: math.nan if value is None else value for name, value in scores.items()}
