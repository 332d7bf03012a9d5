"""Published numbers on MS-CXR, to stand beside runs; none of them was run here.

Signed CNR and mIoU in percent over thresholds .1 to .5, every map min-max scaled, 1,043 phrases "{location}
{pathology}": Vilouras et al., arXiv 2506.10633, table 1. VinDr-CXR: the same table, 443 cases.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SOURCE = "arXiv 2506.10633, table 1"


@dataclass(frozen=True)
class Published:
    """A row of a published table.

    Args:
        method: "LDM" is the frozen chest X-ray model, "LDM, tuned" the same with its words of anatomy tuned.
        dataset: our name of the data.
        cnr: mean signed CNR over classes.
        miou: mean IoU over thresholds and classes, a share.
        classes: CNR and mIoU per class, where printed.
    """

    method: str
    dataset: str
    cnr: float
    miou: float
    classes: Mapping[str, tuple[float, float]]


CLASSES = (
    "Pneumonia", "Pneumothorax", "Consolidation", "Atelectasis", "Edema", "Cardiomegaly", "Lung Opacity",
    "Pleural Effusion",
)  # fmt: skip


def _row(method: str, cnr: float, miou: float, values: tuple[tuple[float, float], ...]) -> Published:
    shares = {name: (one, percent / 100) for name, (one, percent) in zip(CLASSES, values, strict=True)}
    return Published(method, "ms-cxr", cnr, miou / 100, shares)


ROWS = (
    _row("BioViL", 1.17, 20.2, ((1.57, 27.9), (0.61, 10.1), (1.80, 29.5), (0.73, 10.7), (0.74, 18.0), (0.73, 22.1),
                                (1.58, 19.0), (1.60, 24.5))),
    _row("BioViL-T", 1.37, 21.4, ((1.69, 29.0), (0.93, 13.0), (1.89, 30.4), (1.14, 13.3), (0.74, 17.6), (1.04, 23.2),
                                  (1.77, 21.4), (1.75, 23.3))),
    _row("LDM", 0.93, 22.0, ((1.19, 21.6), (-0.07, 6.10), (1.24, 23.3), (1.08, 21.5), (0.84, 30.5), (1.16, 40.8),
                                     (1.11, 15.6), (0.88, 16.5))),
    _row("LDM, tuned", 1.37, 29.5, ((1.64, 36.9), (1.38, 15.4), (1.38, 27.0), (1.45, 32.7), (1.16, 28.4),
                                                   (1.13, 43.8), (1.58, 24.0), (1.22, 28.1))),
    Published("BioViL", "vindr-cxr", 1.48, 0.145, {}),
    Published("BioViL-T", "vindr-cxr", 1.62, 0.149, {}),
    Published("LDM", "vindr-cxr", 0.97, 0.118, {}),
    Published("LDM, tuned", "vindr-cxr", 1.80, 0.205, {}),
)  # fmt: skip
