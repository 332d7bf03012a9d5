"""What every dataset must keep to; and the same phantoms, written in several formats, are the same cases."""

import csv
import json
import shutil
from itertools import pairwise

import numpy as np
import pytest

from deixis.datasets import DATASETS, Collection, Dataset, Wanted
from deixis.datasets.phantom import TEST_SEED, write_set
from deixis.types import Box, Case

SIDE = 256
# NIH's lists are drawn in images of 1024, whatever size a copy has.
DRAWN = 1024


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory):
    """A set in the layout of MS-CXR, and its rows."""
    folder = tmp_path_factory.mktemp("phantoms") / "set"
    write_set(folder, range(TEST_SEED, TEST_SEED + 4), SIDE, findings=(1, 3))
    with (folder / "MS_CXR_Local_Alignment_v1.1.0.csv").open() as table:
        return folder, list(csv.DictReader(table))


def corners(row, times=1.0):
    x, y, w, h = (float(row[name]) * times for name in "xywh")
    return x, y, x + w, y + h


def as_ms_cxr(folder, rows, root):
    shutil.copytree(folder, root, dirs_exist_ok=True)


def pictures(folder, rows, root):
    """All images by their ids, in the root."""
    for row in rows:
        shutil.copy(folder / row["path"], root / f"{row['dicom_id']}.jpg")


def as_csv(folder, rows, root):
    pictures(folder, rows, root)
    with (root / "cases.csv").open("w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["image", "phrase", "x0", "y0", "x1", "y1", "category", "split"])
        for row in rows:
            values = [f"{row['dicom_id']}.jpg", row["label_text"], *corners(row), row["category_name"], row["split"]]
            writer.writerow(values)


def as_coco(folder, rows, root):
    pictures(folder, rows, root)
    content = json.loads((folder / "MS_CXR_Local_Alignment_v1.1.0.json").read_text())
    (root / "annotations.json").write_text(json.dumps(content))


def as_padchest(folder, rows, root):
    """Shares of the sides; one study an image."""
    pictures(folder, rows, root)
    studies = {}
    for row in rows:
        study = studies.setdefault(row["dicom_id"], {"ImageID": f"{row['dicom_id']}.jpg", "findings": []})
        box = [value / SIDE for value in corners(row)]
        study["findings"].append({"sentence_en": row["label_text"], "boxes": [box], "labels": [row["category_name"]]})
    (root / "grounded_reports_20240819.json").write_text(json.dumps(list(studies.values())))


def as_vindr(folder, rows, root):
    """Classes for phrases."""
    pictures(folder, rows, root)
    with (root / "annotations_test.csv").open("w", newline="") as table:
        writer = csv.writer(table)
        writer.writerow(["image_id", "class_name", "x_min", "y_min", "x_max", "y_max"])
        writer.writerows([row["dicom_id"], row["category_name"], *corners(row)] for row in rows)


def as_nih(folder, rows, root):
    """Classes for phrases, in pixels of 1024."""
    pictures(folder, rows, root)
    lines = ["Image Index,Finding Label,Bbox [x,y,w,h],,,"]
    for row in rows:
        x, y, w, h = (float(row[name]) * DRAWN / SIDE for name in "xywh")
        lines.append(f"{row['dicom_id']}.jpg,{row['category_name']},{x},{y},{w},{h},,,")
    (root / "BBox_List_2017.csv").write_text("\n".join(lines) + "\n")


WITH_PHRASES = {"ms-cxr": as_ms_cxr, "csv": as_csv, "coco": as_coco, "padchest-gr": as_padchest}
WITH_CLASSES = {"vindr-cxr": as_vindr, "chestx-ray14": as_nih}


@pytest.fixture(params=[*WITH_PHRASES, *WITH_CLASSES, "phantom"])
def collection(request, phantoms, tmp_path) -> Collection:
    if request.param == "phantom":
        return DATASETS["phantom"].read(Wanted(limit=8))
    {**WITH_PHRASES, **WITH_CLASSES}[request.param](*phantoms, tmp_path)
    return DATASETS[request.param].read(Wanted(tmp_path))


def test_cases_are_whole(collection):
    """Ids of their own, a phrase, a class, truth inside the image; those of one image next to each other."""
    cases = list(collection)
    assert len(cases) == len(collection) > 3
    assert len({case.id for case in cases}) == len(cases)
    images = [str(case.image) if not hasattr(case.image, "pixels") else case.patient for case in cases]
    assert len(dict.fromkeys(images)) == 1 + sum(a != b for a, b in pairwise(images))
    for case in cases:
        assert isinstance(case, Case)
        assert case.phrase.text
        assert case.category
        assert case.boxes or case.mask is not None
        assert case.names_place is not None
        assert case.shape == (SIDE, SIDE)


def test_a_collection_can_be_gone_through_again(collection):
    """The same cases in the same order."""
    assert [case.id for case in collection] == [case.id for case in collection]


@pytest.mark.parametrize("name", WITH_PHRASES)
def test_the_same_phantoms_in_another_format_are_the_same_cases(phantoms, tmp_path, name):
    """Phrases and boxes, however the format writes them."""
    _, rows = phantoms
    WITH_PHRASES[name](*phantoms, tmp_path)
    expected: dict = {}
    for row in rows:
        expected.setdefault((row["dicom_id"], row["label_text"]), []).append(Box(*corners(row)))
    cases = list(DATASETS[name].read(Wanted(tmp_path)))
    assert len(cases) == len(expected)
    for case, ((image, text), boxes) in zip(cases, expected.items(), strict=True):
        assert image in str(case.image)
        assert case.phrase.text == text
        edges = [[(b.x0, b.y0, b.x1, b.y1) for b in some] for some in (case.boxes, boxes)]
        np.testing.assert_allclose(*edges, atol=1e-6)


@pytest.mark.parametrize("name", DATASETS)
def test_every_row_says_what_it_is(name):
    dataset = DATASETS[name]
    assert isinstance(dataset, Dataset)
    assert dataset.name == name
    assert dataset.summary
    assert dataset.truth
    assert dataset.layout
