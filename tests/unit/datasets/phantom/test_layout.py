"""Phantoms as cases and as a folder in MS-CXR's layout."""

import csv
import json
import re
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from deixis.datasets.phantom import TEST_SEED, VALIDATION_SEED, cases, scene, split_of, write_set
from deixis.errors import OutputError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six small phantoms on disk."""
    root = tmp_path_factory.mktemp("phantoms") / "set"
    assert write_set(root, range(40, 46), 96) == 6
    return root


def rows_of(folder: Path) -> list[dict[str, str]]:
    """The alignment table."""
    with (folder / "MS_CXR_Local_Alignment_v1.1.0.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_table_has_the_published_columns_and_its_files_exist(folder: Path) -> None:
    """Columns as in MS-CXR 1.1.0; every path is an image of the stated size, under MIMIC's pattern."""
    rows = rows_of(folder)
    expected = [
        "dicom_id",
        "category_name",
        "label_text",
        "path",
        "x",
        "y",
        "w",
        "h",
        "image_width",
        "image_height",
        "split",
    ]
    assert list(rows[0]) == expected
    for row in rows:
        assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{8}){4}", row["dicom_id"])
        assert re.fullmatch(rf"files/p1\d/p1\d{{7}}/s5\d{{7}}/{row['dicom_id']}\.jpg", row["path"])
        assert PIL.Image.open(folder / row["path"]).size == (int(row["image_width"]), int(row["image_height"]))
        study = (folder / row["path"]).parent
        assert study.with_name(study.name + ".txt").read_text().startswith("FINDINGS:")


def test_json_says_what_the_csv_says(folder: Path) -> None:
    """The COCO object holds the same boxes, texts and splits in the same order."""
    coco = json.loads((folder / "MS_CXR_Local_Alignment_v1.1.0.json").read_text())
    images = {image["id"]: image for image in coco["images"]}
    names = {category["id"]: category["name"] for category in coco["categories"]}
    rows = rows_of(folder)
    assert len(coco["annotations"]) == len(rows)
    for row, annotation in zip(rows, coco["annotations"], strict=True):
        assert images[annotation["image_id"]]["path"] == row["path"]
        assert names[annotation["category_id"]] == row["category_name"]
        assert annotation["bbox"] == [int(row[k]) for k in "xywh"]
        assert (annotation["label_text"], annotation["split"]) == (row["label_text"], "train")


def test_masks_are_the_phrases(folder: Path) -> None:
    """One PNG per phrase, 255 where the mask is."""
    masks = sorted((folder / "masks").iterdir())
    assert len(masks) == sum(len(scene(seed, 96).phrases) for seed in range(40, 46))
    assert set(np.unique(np.asarray(PIL.Image.open(masks[0])))) == {0, 255}


def test_a_folder_with_something_in_it_is_refused(folder: Path) -> None:
    """Nothing is overwritten."""
    with pytest.raises(OutputError, match="not empty"):
        write_set(folder, range(2), 64)


def test_splits_are_disjoint_by_seed() -> None:
    """Training below 900,000, validation below a million, test from there."""
    assert [split_of(s) for s in (0, VALIDATION_SEED - 1, VALIDATION_SEED, TEST_SEED - 1, TEST_SEED)] == [
        "train", "train", "val", "val", "test",
    ]  # fmt: skip


def test_cases_carry_truth_and_words() -> None:
    """One case per phrase, with its boxes, mask and patient."""
    found = list(cases(range(TEST_SEED, TEST_SEED + 3), 96))
    drawn = [scene(seed, 96, findings=(1, 3)) for seed in range(TEST_SEED, TEST_SEED + 3)]
    assert [case.phrase.text for case in found] == [phrase.text for d in drawn for phrase in d.phrases]
    assert all(case.split == "test" and case.mask is not None and case.boxes for case in found)
    assert len({case.id for case in found}) == len(found)
