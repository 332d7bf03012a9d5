"""What a model is trained on: many small images and the phrases that are true of them, kept on disk."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import PIL.Image
from jaxtyping import UInt8

from deixis.errors import CaseError

# A draw gives the image of a seed, uint8 [y x], and its phrases. It must be importable: workers call it by name.
Draw = Callable[[int, int], tuple[UInt8[np.ndarray, "y x"], list[str]]]


@dataclass(frozen=True)
class Corpus:
    """Images and phrases of a training set.

    Args:
        pixels: uint8 ``[image y x]``, memory-mapped.
        phrases: per image the phrases that are true of it; none for a normal image.
    """

    pixels: UInt8[np.ndarray, "image y x"]
    phrases: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        if len(self.pixels) != len(self.phrases):
            raise CaseError(f"{len(self.pixels)} images but {len(self.phrases)} lists of phrases")

    def __len__(self) -> int:
        return len(self.phrases)


def open_corpus(folder: Path) -> Corpus | None:
    """The corpus kept in `folder`, or None where there is no finished one."""
    if not (folder / "phrases.json").exists():
        return None
    phrases = json.loads((folder / "phrases.json").read_text(encoding="utf-8"))
    return Corpus(np.load(folder / "pixels.npy", mmap_mode="r"), tuple(tuple(p) for p in phrases))


def draw_corpus(draw: Draw, seeds: range, size: int, folder: Path, *, workers: int | None = None) -> Corpus:
    """Draw images in parallel processes into `folder`, or open what was drawn there before."""
    kept = open_corpus(folder)
    if kept is not None:
        return kept
    folder.mkdir(parents=True, exist_ok=True)
    pixels = np.lib.format.open_memmap(folder / "pixels.npy", mode="w+", dtype=np.uint8, shape=(len(seeds), size, size))
    phrases: list[list[str]] = []
    with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
        drawn = pool.map(draw, seeds, [size] * len(seeds), chunksize=50)
        for i, (image, said) in enumerate(drawn):
            pixels[i] = image
            phrases.append(said)
    pixels.flush()
    _finish(folder, phrases)
    return Corpus(pixels, tuple(tuple(said) for said in phrases))


def keep_corpus(images: Iterable[tuple[UInt8[np.ndarray, "y x"], list[str]]], folder: Path) -> Corpus:
    """Keep images that were read from elsewhere; all of one square size."""
    pixels, phrases = zip(*images, strict=True)
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "pixels.npy", np.stack(pixels))
    _finish(folder, [list(said) for said in phrases])
    return Corpus(np.load(folder / "pixels.npy", mmap_mode="r"), tuple(tuple(said) for said in phrases))


def _finish(folder: Path, phrases: list[list[str]]) -> None:
    """Write the phrases last: their file says that the corpus is whole."""
    aside = folder / "phrases.json.part"
    aside.write_text(json.dumps(phrases), encoding="utf-8")
    aside.replace(folder / "phrases.json")


def read_set(folder: Path, size: int) -> Iterator[tuple[UInt8[np.ndarray, "y x"], list[str]]]:
    """Images and phrases of a folder in MS-CXR's layout, as `deixis phantom` writes it; images resized to a square.

    Raises:
        CaseError: the folder holds no alignment table.
    """
    tables = sorted(folder.glob("MS_CXR_Local_Alignment_v*.csv"))
    if not tables:
        raise CaseError(f"{folder.name} holds no MS_CXR_Local_Alignment table. Make a set with `deixis phantom`.")
    said: dict[str, list[str]] = {}
    with tables[-1].open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            texts = said.setdefault(row["path"], [])
            if row["label_text"] not in texts:
                texts.append(row["label_text"])
    for path in sorted((folder / "files").rglob("*.jpg")):
        with PIL.Image.open(path) as picture:
            pixels = np.asarray(picture.convert("L").resize((size, size), PIL.Image.Resampling.BILINEAR))
        yield pixels, said.get(path.relative_to(folder).as_posix(), [])
