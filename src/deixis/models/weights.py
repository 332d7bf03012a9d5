"""What a model's weights hash to: recorded with every answer, and compared where the published hash is known."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from deixis.errors import ModelError

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")
CHUNK = 1 << 20


def weight_files(place: Path) -> tuple[Path, ...]:
    """All weight files below a folder, in alphabetical order; of a single file itself."""
    if place.is_file():
        return (place,)
    return tuple(sorted(file for file in place.rglob("*") if file.suffix in SUFFIXES))


def fingerprint(*places: Path) -> str:
    """SHA-256 over the names and contents of all weight files; remembered until a file changes size or time."""
    digest = hashlib.sha256()
    for place in places:
        for file in weight_files(place):
            stat = file.stat()
            name = file.name if file == place else file.relative_to(place).as_posix()
            digest.update(name.encode())
            digest.update(_file_hash(file, stat.st_size, stat.st_mtime_ns))
    return digest.hexdigest()


@lru_cache(maxsize=256)
def _file_hash(file: Path, size: int, modified: int) -> bytes:
    """Size and time only tell one state of the file from another."""
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            digest.update(chunk)
    return digest.digest()


def check_fingerprint(place: Path, published: str) -> None:
    """Raise `ModelError` where the weights are not the published ones."""
    found = fingerprint(place)
    if found != published:
        raise ModelError(
            f"The weights in {place} are not the published ones: their SHA-256 is {found[:16]}…, not "
            f"{published[:16]}…. They are damaged or were changed; get them anew, or put your own under another name."
        )
