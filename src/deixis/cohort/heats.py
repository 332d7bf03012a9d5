"""Heat maps of a block in one file, as float16: by choice, since they are a hundred times larger than the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float16

from deixis.cohort.shards import whole
from deixis.registry import Table

Maps = Mapping[str, Float16[np.ndarray, "y x"]]


@dataclass(frozen=True)
class HeatStore:
    """A way to keep heat maps.

    Args:
        suffix: of its files.
        write: to a path that is renamed afterwards.
        read: all maps of a file, by key.
    """

    suffix: str
    write: Callable[[Path, Maps], None]
    read: Callable[[Path], Maps]


HEAT_STORES: Table[HeatStore] = Table(
    kind="heat store",
    group="deixis.heat_stores",
    builtin={"npz": "deixis.cohort.heats:NPZ", "zarr": "deixis.cohort.heats:ZARR"},
)
NONE = "none"


def keep(store: HeatStore, path: Path, maps: Maps) -> None:
    """Write the maps of a block beside those that stand in its file already, whole or not at all."""
    known = dict(store.read(path)) if path.exists() else {}
    with whole(path) as aside:
        store.write(aside, {**known, **maps})


def _write_npz(path: Path, maps: Maps) -> None:
    with path.open("wb") as file:
        np.savez_compressed(file, **dict[str, Any](maps))


def _read_npz(path: Path) -> Maps:
    with np.load(path, allow_pickle=False) as opened:
        return dict(opened)


def _write_zarr(path: Path, maps: Maps) -> None:
    """One zip file, since a folder could not take another's place at once."""
    import zarr
    from zarr.storage import ZipStore

    with ZipStore(path, mode="w") as store:
        group = zarr.create_group(store)
        for key, values in maps.items():
            group.create_array(key, data=values, chunks=values.shape)


def _read_zarr(path: Path) -> Maps:
    import zarr
    from zarr.storage import ZipStore

    with ZipStore(path, mode="r") as store:
        group = zarr.open_group(store, mode="r")
        return {key: np.asarray(array[...]) for key, array in group.arrays()}


NPZ = HeatStore(".npz", _write_npz, _read_npz)
ZARR = HeatStore(".zarr.zip", _write_zarr, _read_zarr)
