"""Phantoms: synthetic frontal chest radiographs with words and truth, the data that the bundled model knows."""

from deixis.datasets.phantom.anatomy import Style
from deixis.datasets.phantom.layout import TEST_SEED, VALIDATION_SEED, cases, split_of, write_set
from deixis.datasets.phantom.phrases import CATEGORIES, sample_phrases
from deixis.datasets.phantom.scene import PlantedFinding, PlantedPhrase, Scene, scene

__all__ = [
    "CATEGORIES", "TEST_SEED", "VALIDATION_SEED", "PlantedFinding", "PlantedPhrase", "Scene", "Style", "cases",
    "sample_phrases", "scene", "split_of", "write_set",
]  # fmt: skip
