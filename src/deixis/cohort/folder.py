"""The folder of a cohort: what it holds, what is still missing, and what it says of itself at the end.

Names that begin with ``_`` are not results: readers of Parquet folders pass them over.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deixis.cohort.items import PASSING, Block, Failure
from deixis.cohort.manifest import sha256_of
from deixis.cohort.shards import facts_of, read_failures, whole
from deixis.errors import OutputError

RUN, MODEL, MANIFEST, FAILED = "_run.json", "_model.json", "_manifest.json", "_errors.jsonl"
SCHEMA = "deixis.cohort.results/1"
# What there is before the first result.
OURS = frozenset({"_errors", "_heat"})


@dataclass(frozen=True)
class Total:
    """What a folder holds.

    Args:
        images: of which there are results or failures.
        rows: of results.
        failures: all of them, the manifest's own too.
        missing: blocks without results.
    """

    images: int
    rows: int
    failures: tuple[Failure, ...]
    missing: int = 0


@dataclass(frozen=True)
class Folder:
    """Where a cohort's results are."""

    path: Path

    def shard(self, block: int) -> Path:
        """The results of a block."""
        return self.path / f"part-{block:06}.parquet"

    def errors(self, block: int) -> Path:
        """The failures of a block; there is none where nothing failed."""
        return self.path / "_errors" / f"part-{block:06}.parquet"

    def heat(self, block: int, suffix: str) -> Path:
        """The heat maps of a block."""
        return self.path / "_heat" / f"part-{block:06}{suffix}"

    def take(self, config: Mapping[str, Any]) -> None:
        """Make the folder, or go on with it.

        Raises:
            OutputError: it holds something else, or results of another configuration; says where they differ.
        """
        known = self.path / RUN
        for folder in (self.path, self.path / "_errors", self.path / "_heat"):
            folder.mkdir(parents=True, exist_ok=True)
        if known.exists():
            _check_same(json.loads(known.read_text(encoding="utf-8")), config, self.path)
        elif any(entry.name not in OURS and entry.suffix != ".partial" for entry in self.path.iterdir()):
            raise OutputError(f"{self.path} holds files, and no cohort. Name an empty or a new folder.")
        else:
            _write_json(known, config)
        # What workers that were killed were writing.
        for stale in [*self.path.glob(".*.partial"), *self.path.glob("_*/.*.partial")]:
            stale.unlink(missing_ok=True)

    def agree(self, weights: Mapping[str, str]) -> None:
        """Every worker says what weights it loaded; all must be the same, in this run and in those before.

        Raises:
            OutputError: they are not.
        """
        known = self.path / MODEL
        aside = known.with_name(f".{os.getpid()}-{os.urandom(4).hex()}.partial")
        try:
            aside.write_text(json.dumps(dict(weights)) + "\n", encoding="utf-8")
            # Unlike a rename, a link does not replace what another worker put there a moment before.
            os.link(aside, known)
        except FileExistsError:
            _check_same(json.loads(known.read_text(encoding="utf-8")), weights, self.path)
        finally:
            aside.unlink(missing_ok=True)

    def todo(self, blocks: Sequence[Block], *, retry_failed: bool) -> list[Block]:
        """Blocks without results, and of the others the images whose failure may have passed, or all that failed."""
        found = []
        for block in blocks:
            if not self.shard(block.number).exists():
                found.append(block)
                continue
            failed = read_failures(self.errors(block.number))
            again = {one.row for one in failed if retry_failed or one.kind in PASSING}
            if again:
                found.append(block.of(again))
        return found

    def total(self, blocks: Sequence[Block], failures: Sequence[Failure]) -> Total:
        """What stands here of these blocks, with failures of the manifest's own."""
        there = [block for block in blocks if self.shard(block.number).exists()]
        failed = [one for block in there for one in read_failures(self.errors(block.number))]
        return Total(
            images=sum(len(block.sheets) for block in there),
            rows=sum(int(facts_of(self.shard(block.number))["rows"]) for block in there),
            failures=tuple(sorted((*failures, *failed), key=lambda one: one.row)),
            missing=len(blocks) - len(there),
        )

    def close(self, blocks: Sequence[Block], total: Total) -> None:
        """Say what is here: counts, and the hash of every file of results; and all failures in one file."""
        with whole(self.path / FAILED) as aside:
            lines = [json.dumps(asdict(one), ensure_ascii=False) + "\n" for one in total.failures]
            aside.write_text("".join(lines), encoding="utf-8")
        shards = [self.shard(block.number) for block in blocks if self.shard(block.number).exists()]
        run = json.loads((self.path / RUN).read_text(encoding="utf-8"))
        content = {
            "schema": SCHEMA,
            "config_sha256": run["config_sha256"],
            "images": total.images,
            "rows": total.rows,
            "failures": len(total.failures),
            "missing_blocks": total.missing,
            "files": {
                shard.name: {"rows": int(facts_of(shard)["rows"]), "sha256": sha256_of(shard)} for shard in shards
            },
        }
        _write_json(self.path / MANIFEST, content)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    with whole(path) as aside:
        aside.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _check_same(known: Mapping[str, Any], config: Mapping[str, Any], folder: Path) -> None:
    other = sorted(name for name in {*known, *config} - {"config_sha256"} if known.get(name) != config.get(name))
    if other:
        told = "; ".join(f"{name}: {_short(known.get(name))} there, {_short(config.get(name))} now" for name in other)
        raise OutputError(f"{folder} holds a cohort of another configuration ({told}). Name another folder.")


def _short(value: Any) -> str:
    told = repr(value)
    return told if len(told) < 80 else f"{told[:76]}…"
