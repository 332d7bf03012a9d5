"""deixis: where in a medical image does a phrase live? Read out of a frozen text-to-image diffusion model.

>>> view = deixis.open_image("chest.png")          # doctest: +SKIP
>>> view.find("right pleural effusion").boxes      # doctest: +SKIP

Names are loaded when they are first used, so ``import deixis`` costs next to nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deixis.cohort.order import Cohort as Cohort
    from deixis.cohort.run import ground_cohort as ground_cohort
    from deixis.crew import Crew as Crew
    from deixis.errors import DeixisError as DeixisError
    from deixis.evaluate import evaluate as evaluate
    from deixis.ground import View as View
    from deixis.ground import ground as ground
    from deixis.ground import open_image as open_image
    from deixis.ground_report import ground_report as ground_report
    from deixis.images import read as read
    from deixis.many import ground_many as ground_many
    from deixis.models.loading import load as load
    from deixis.radiology import GroundedReport as GroundedReport
    from deixis.radiology import RadiologyReport as RadiologyReport
    from deixis.recipes import Recipe as Recipe
    from deixis.types import Box as Box
    from deixis.types import Case as Case
    from deixis.types import Grounding as Grounding
    from deixis.types import HeatMap as HeatMap
    from deixis.types import Image as Image
    from deixis.types import LatentModel as LatentModel
    from deixis.types import Phrase as Phrase

_HOMES = {
    "load": "deixis.models.loading",
    "read": "deixis.images",
    "open_image": "deixis.ground",
    "ground": "deixis.ground",
    "ground_many": "deixis.many",
    "ground_report": "deixis.ground_report",
    "ground_cohort": "deixis.cohort.run",
    "Cohort": "deixis.cohort.order",
    "Crew": "deixis.crew",
    "View": "deixis.ground",
    "evaluate": "deixis.evaluate",
    "Recipe": "deixis.recipes",
    **dict.fromkeys(("GroundedReport", "RadiologyReport"), "deixis.radiology"),
    "DeixisError": "deixis.errors",
    **dict.fromkeys(("Box", "Case", "Grounding", "HeatMap", "Image", "LatentModel", "Phrase"), "deixis.types"),
}
__all__ = [*_HOMES]  # noqa: PLE0604 - the names of the table above


class _Package(ModuleType):
    """Keeps `deixis.ground` the function: importing the file ground.py would else put the module in its place."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'deixis' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    setattr(sys.modules[__name__], name, value)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


sys.modules[__name__].__class__ = _Package
