"""Phantoms: always the same by seed, findings where their masks and words say."""

import numpy as np
import pytest

from deixis.datasets.phantom import CATEGORIES, Scene, Style, scene
from deixis.errors import CaseError

SEEDS = range(500_000, 500_080)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    """Eighty small phantoms."""
    return [scene(seed, 128) for seed in SEEDS]


def test_a_seed_always_gives_the_same_phantom() -> None:
    """Pixels, words and masks are equal on a second call."""
    first, again = scene(7), scene(7)
    assert np.array_equal(first.pixels, again.pixels)
    assert [phrase.text for phrase in first.phrases] == [phrase.text for phrase in again.phrases]
    assert first.report == again.report


def test_pixels_are_an_image(scenes: list[Scene]) -> None:
    """float32 in [0, 1], the full range used."""
    for drawn in scenes:
        assert drawn.pixels.dtype == np.float32
        assert drawn.pixels.min() == 0
        assert drawn.pixels.max() == 1


def test_every_class_appears(scenes: list[Scene]) -> None:
    """Eighty phantoms hold all nine classes."""
    assert {finding.category for drawn in scenes for finding in drawn.findings} == set(CATEGORIES)


def test_sides_are_the_patients(scenes: list[Scene]) -> None:
    """A left finding lies on the right half of the image, and the other way round."""
    for drawn in scenes:
        for finding in drawn.findings:
            if finding.side in ("left", "right") and finding.category != "Support Devices":
                centre = np.argwhere(finding.mask)[:, 1].mean()
                assert (centre > 64) == (finding.side == "left"), (drawn.seed, finding.category)


def test_boxes_hold_their_mask(scenes: list[Scene]) -> None:
    """Boxes lie inside the image and together cover nearly all of the mask."""
    for drawn in scenes:
        for phrase in drawn.phrases:
            covered = np.zeros_like(phrase.mask)
            for box in phrase.boxes:
                assert 0 <= box.x0 < box.x1 <= 128
                assert 0 <= box.y0 < box.y1 <= 128
                covered[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = True
            assert (phrase.mask & covered).sum() >= 0.85 * phrase.mask.sum()


def test_half_of_the_images_name_no_place(scenes: list[Scene]) -> None:
    """Of the images whose findings have a side, about half say neither side nor zone."""
    movable = [d for d in scenes if any(f.side in ("left", "right") for f in d.findings)]
    naming = sum(any(phrase.names_place for phrase in drawn.phrases) for drawn in movable)
    assert 0.3 < naming / len(movable) < 0.7


def test_a_phrase_without_side_means_all_findings_of_its_class(scenes: list[Scene]) -> None:
    """ "pleural effusion" covers both effusions of a bilateral one."""
    for drawn in scenes:
        for phrase in drawn.phrases:
            if not phrase.names_place:
                kinds = {drawn.findings[i].kind for i in phrase.findings}
                same = [i for i, f in enumerate(drawn.findings) if f.category == phrase.category and f.kind in kinds]
                assert tuple(same) == phrase.findings


def test_findings_can_be_seen(scenes: list[Scene]) -> None:
    """Inside its mask a consolidation is brighter than the mirrored place, on average over many."""
    gains = []
    for drawn in scenes:
        if len(drawn.findings) == 1 and drawn.findings[0].category in ("Consolidation", "Pneumonia", "Lung Opacity"):
            mask = drawn.findings[0].mask
            gains.append(drawn.pixels[mask].mean() - drawn.pixels[mask[:, ::-1]].mean())
    assert np.mean(gains) > 0.05


def test_cardiomegaly_takes_more_than_half_of_the_chest() -> None:
    """The mask of an enlarged heart is wider than half of the lungs' width."""
    drawn = next(d for d in map(scene, range(500_000, 500_200)) if [f.category for f in d.findings] == ["Cardiomegaly"])
    columns = np.flatnonzero(drawn.findings[0].mask.any(0))
    assert np.ptp(columns) > 0.3 * drawn.pixels.shape[1]


@pytest.mark.parametrize("size", [96, 320])
def test_any_size(size: int) -> None:
    """The same patient at another size."""
    drawn = scene(11, size)
    assert drawn.pixels.shape == (size, size)
    assert [f.category for f in drawn.findings] == [f.category for f in scene(11).findings]


def test_more_findings_than_fit_are_refused() -> None:
    """Five findings are too many, and so is a range upside down."""
    for wrong in ((0, 5), (3, 1), (-1, 2)):
        with pytest.raises(CaseError, match="0 to 4 findings"):
            scene(1, 64, findings=wrong)


def test_place_is_named_by_all_sided_phrases_or_by_none(scenes: list[Scene]) -> None:
    """Within an image, of the findings that have a side, either every phrase names it or none does."""
    for drawn in scenes:
        naming = {
            phrase.names_place
            for phrase in drawn.phrases
            if {drawn.findings[i].side for i in phrase.findings} <= {"left", "right"}
        }
        assert len(naming) <= 1, drawn.seed


def test_style_moves_the_film_and_not_the_plan() -> None:
    """More exposure brightens; the findings stay the same ones."""
    plain, bright = scene(3), scene(3, style=Style(exposure=0.1))
    assert [f.category for f in plain.findings] == [f.category for f in bright.findings]
    assert bright.pixels.mean() > plain.pixels.mean()
