"""Metrics: how well a heat map, a mask and boxes answer, one pure function each."""

from deixis.metrics.comparison import Comparison, Metric, normalised
from deixis.registry import Table

METRICS: Table[Metric] = Table(
    kind="metric",
    group="deixis.metrics",
    builtin={
        "auroc": "deixis.metrics.auroc:AUROC",
        "auprc": "deixis.metrics.auroc:AUPRC",
        "auroc_smoothed": "deixis.metrics.auroc:AUROC_SMOOTHED",
        "pointing": "deixis.metrics.pointing:POINTING",
        "pointing15": "deixis.metrics.pointing:POINTING_TOLERANT",
        "miou": "deixis.metrics.iou:MIOU",
        "iou": "deixis.metrics.iou:IOU",
        "dice": "deixis.metrics.iou:DICE",
        "cnr": "deixis.metrics.cnr:CNR",
        "cnr_smoothed": "deixis.metrics.cnr:CNR_SMOOTHED",
        "cnr_abs": "deixis.metrics.cnr:CNR_ABS",
        "inside": "deixis.metrics.inside:INSIDE",
        "box_iou": "deixis.metrics.boxes:BOX_IOU",
        "acc25": "deixis.metrics.boxes:ACC25",
        "acc50": "deixis.metrics.boxes:ACC50",
        "laterality": "deixis.metrics.laterality:LATERALITY",
        "published_cnr": "deixis.metrics.published:PUBLISHED_CNR",
        "published_cnr_abs": "deixis.metrics.published:PUBLISHED_CNR_ABS",
        "published_miou": "deixis.metrics.published:PUBLISHED_MIOU",
        "published_auc": "deixis.metrics.published:PUBLISHED_AUC",
    },
)

__all__ = ["METRICS", "Comparison", "Metric", "normalised"]
