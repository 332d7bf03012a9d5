"""Datasets: each yields `Case`, one question with its truth."""

from deixis.datasets.collection import Collection, Dataset, Note, Wanted
from deixis.registry import Table

DATASETS: Table[Dataset] = Table(
    kind="dataset",
    group="deixis.datasets",
    builtin={
        "phantom": "deixis.datasets.phantom.dataset:PHANTOM",
        "ms-cxr": "deixis.datasets.ms_cxr:MS_CXR",
        "vindr-cxr": "deixis.datasets.vindr_cxr:VINDR_CXR",
        "chestx-ray14": "deixis.datasets.chestx_ray14:CHESTX_RAY14",
        "rsna": "deixis.datasets.rsna:RSNA",
        "siim": "deixis.datasets.siim:SIIM",
        "chexlocalize": "deixis.datasets.chexlocalize:CHEXLOCALIZE",
        "padchest-gr": "deixis.datasets.padchest_gr:PADCHEST_GR",
        "chestx-det": "deixis.datasets.chestx_det:CHESTX_DET",
        "chest-imagenome": "deixis.datasets.chest_imagenome:CHEST_IMAGENOME",
        "csv": "deixis.datasets.generic:CSV",
        "coco": "deixis.datasets.generic:COCO",
    },
)

__all__ = ["DATASETS", "Collection", "Dataset", "Note", "Wanted"]
