"""Phantoms: synthetic frontal chest radiographs with words and truth, the data that the bundled model knows."""

from deixis.datasets.phantom.anatomy import Style
from deixis.datasets.phantom.phrases import CATEGORIES, sample_phrases
from deixis.datasets.phantom.scene import PlantedFinding, PlantedPhrase, Scene, scene

__all__ = ["CATEGORIES", "PlantedFinding", "PlantedPhrase", "Scene", "Style", "sample_phrases", "scene"]
