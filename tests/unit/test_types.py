"""Values are valid once made, or not made."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from deixis.errors import CaseError, ImageError, PhraseError
from deixis.types import Box, Case, Context, Grounding, HeatMap, Image, LatentTrajectory, Phrase, Provenance, Schedule

GREY = np.full((4, 6), 0.5, np.float32)


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.zeros((0, 4), np.float32), "non-empty"),
        (np.zeros((4, 4, 3), np.float32), "grey plane"),
        (np.full((2, 2), np.nan, np.float32), "NaN"),
        (np.full((2, 2), 1.5, np.float32), "1.5"),
        (np.full((2, 2), -0.1, np.float32), "-0.1"),
    ],
)
def test_an_image_is_one_finite_grey_plane(pixels, reason):
    """Each refusal names what was wrong."""
    with pytest.raises(ImageError, match=reason):
        Image(pixels)


def test_an_image_knows_its_shape():
    """Height and width."""
    assert Image(GREY).shape == (4, 6)


@pytest.mark.parametrize("text", ["", "   ", "\n"])
def test_an_empty_phrase_is_refused(text):
    """The error gives an example."""
    with pytest.raises(PhraseError, match="effusion"):
        Phrase(text)


@pytest.mark.parametrize("span", [(0, 0), (3, 2), (-1, 2), (0, 99)])
def test_a_span_lies_inside_its_phrase(span):
    """Half-open and not empty."""
    with pytest.raises(PhraseError, match="Span"):
        Phrase("effusion", span=span)


@pytest.mark.parametrize("corners", [(0, 0, 0, 1), (2, 0, 1, 1), (0, 5, 1, 5), (0, 0, float("nan"), 1)])
def test_a_box_has_area(corners):
    """Empty, turned and undefined boxes are refused."""
    with pytest.raises(CaseError, match="x0 < x1"):
        Box(*corners)


def test_a_case_holds_its_boxes_inside():
    """A box that leaves the image, or a mask of another shape, names the case."""
    fields = {"id": "c1", "image": Path("x.png"), "phrase": Phrase("a"), "category": "b", "shape": (10, 20)}
    Case(boxes=(Box(0, 0, 20, 10),), **fields)
    with pytest.raises(CaseError, match="c1"):
        Case(boxes=(Box(0, 0, 20.5, 10),), **fields)
    with pytest.raises(CaseError, match="mask"):
        Case(boxes=(), mask=np.zeros((20, 10), bool), **fields)


def test_a_heat_map_is_finite_and_of_one_frame():
    """NaN never carries meaning."""
    with pytest.raises(ValueError, match="frame"):
        HeatMap(GREY, np.ones((6, 4), bool))
    with pytest.raises(ValueError, match="finite"):
        HeatMap(GREY * np.float32(np.nan), np.ones((4, 6), bool))


def test_a_grounding_has_one_frame():
    """Heat, mask and image share their shape."""
    heat = HeatMap(GREY, np.ones((4, 6), bool))
    provenance = Provenance("m", "0", "r", 0, {}, 0.0, 0)
    with pytest.raises(ValueError, match="differ"):
        Grounding(Image(GREY), Phrase("a"), heat, np.ones((6, 4), bool), (), provenance)


def test_values_are_frozen():
    """What crosses a room cannot be changed there."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Box(0, 0, 1, 1).score = 2


def test_log_snr_falls_from_clean_to_noisy():
    """log(ᾱ / (1 - ᾱ)); 0 where signal and noise are even."""
    levels = Schedule(np.array([0.9, 0.5, 0.1])).log_snr(np.arange(3))
    assert levels == pytest.approx([np.log(9), 0, -np.log(9)])


@pytest.mark.parametrize("timesteps", [[3, 2], [1], []])
def test_a_trajectory_runs_from_clean_to_noisy(timesteps):
    """One timestep per latent, at least one, never falling."""
    with pytest.raises(ValueError, match="timesteps"):
        LatentTrajectory(
            np.array(timesteps, int), torch.zeros(2 if timesteps else 0, 1, 2, 2), torch.zeros(1, 1, 2, 2), "key"
        )


def test_context_takes_rows_in_any_order():
    """Repeated too, everything together."""
    context = Context(
        ("a", "b"),
        torch.arange(2.0)[:, None, None].expand(2, 3, 1),
        torch.tensor([[True] * 3, [False] * 3]),
        (((0, 1),) * 3, ((1, 2),) * 3),
        (1, 2),
        {"pooled": torch.tensor([10, 20])},
    )
    taken = context.take([1, 0, 1])
    assert (len(taken), taken.texts, taken.ends) == (3, ("b", "a", "b"), (2, 1, 2))
    assert taken.states[:, 0, 0].tolist() == [1, 0, 1]
    assert taken.extra["pooled"].tolist() == [20, 10, 20]
    assert taken.mask is not None
    assert taken.mask[:, 0].tolist() == [False, True, False]
    assert taken.spans[0] == ((1, 2),) * 3
