"""Bimodal Bias Merging on maps small enough to work out."""

import numpy as np
import pytest

from deixis.maps.merging import merged


def ramp():
    return np.linspace(0, 1, 64, dtype=np.float32).reshape(8, 8)


def test_alike_maps_give_their_product():
    """I = T means s = 1, so that only M = norm(I @ T) is left, worked out by hand."""
    image = ramp()
    product = image @ image
    expected = (product - product.min()) / (product.max() - product.min())
    np.testing.assert_allclose(merged(image, image, 1 - image), expected, atol=1e-6)


def test_opposite_maps_leave_the_words_alone():
    """SSIM below 0 means s = 0: the answer is A from 0 to 1."""
    told = np.arange(64, dtype=np.float32).reshape(8, 8) ** 2
    np.testing.assert_allclose(merged(ramp(), 1 - ramp(), told), told / told.max(), atol=1e-6)


def test_between_both_count():
    """(1-s)²·A + 2s(1-s)·(A + M + A⊙M)/2 + s²·M, with s from the library that defines SSIM."""
    from skimage.metrics import structural_similarity

    rng = np.random.default_rng(0)
    image, noise, told = ramp(), rng.random((8, 8), dtype=np.float32), rng.random((8, 8), dtype=np.float32)
    made_up = (0.7 * image + 0.3 * noise).astype(np.float32)

    def unit(values):
        return (values - values.min()) / (values.max() - values.min())

    s = structural_similarity(*(np.round(255 * unit(one)).astype(np.uint8) for one in (image, made_up)))
    assert 0.1 < s < 0.99
    m, a = unit(image @ made_up), unit(told)
    expected = (1 - s) ** 2 * a + 2 * s * (1 - s) * (a + m + a * m) / 2 + s**2 * m
    np.testing.assert_allclose(merged(image, made_up, told), expected, atol=1e-5)


def test_without_a_way_to_make_up_images_it_says_so():
    from dataclasses import replace

    import torch

    from deixis.errors import DeixisError
    from deixis.maps.evidence import EVIDENCE
    from deixis.maps.gathering import Scope
    from deixis.maps.reading import Question
    from deixis.recipes import NoisedWalk
    from deixis.types import Box, Phrase
    from planted_model import PlantedModel
    from walking import reader_of, walked

    model = PlantedModel(Box(32, 64, 96, 128))
    trajectory = walked(model, model.encode(torch.zeros(1, 1, 128, 128)), NoisedWalk(2))
    reader = replace(reader_of(model, trajectory), generate=None)
    question = Question.of_one_image((Phrase("effusion"),), model.embed(["effusion"]))
    with pytest.raises(DeixisError, match="makes up an image"):
        EVIDENCE["bias-merged"](reader, question, Scope(reader.sites, torch.ones(2) / 2))
