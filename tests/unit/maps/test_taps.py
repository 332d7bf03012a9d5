"""What a tap forms, and what it keeps."""

import pytest
import torch

from deixis.maps.taps import CallTap, answers, probabilities, stretched
from deixis.types import KeysValues, Site

SITE = Site("site", 0, "cross", (3, 5), 2, 0.7)


def random_qk(cases, tokens=6, seed=0):
    generator = torch.Generator().manual_seed(seed)
    q = torch.randn(cases, 2, 15, 4, generator=generator)
    return q, torch.randn(cases, 2, tokens, 4, generator=generator)


def test_probabilities_sum_to_one_over_tokens():
    """A softmax over all tokens, mean over heads."""
    assert torch.allclose(probabilities(SITE, *random_qk(3), None).sum(-1), torch.ones(3, 15))


def test_probabilities_are_those_of_scaled_dot_product_attention():
    """With the identity as values, torch's own attention returns its probabilities."""
    q, k = random_qk(2)
    values = torch.eye(6).expand(2, 2, 6, 6)
    expected = torch.nn.functional.scaled_dot_product_attention(q, k, values, scale=SITE.scale).mean(dim=1)
    torch.testing.assert_close(probabilities(SITE, q, k, None), expected)


def test_a_masked_token_gets_nothing():
    """The bias of a text mask enters the softmax; the others share what the masked token had."""
    bias = torch.zeros(2, 6)
    bias[:, 4:] = -10000
    masked = probabilities(SITE, *random_qk(2), bias)
    assert masked[..., 4:].max() == 0
    assert torch.allclose(masked.sum(-1), torch.ones(2, 15))


def test_half_precision_is_read_in_single():
    """A model in bfloat16 still gives float32 probabilities that sum to 1."""
    q, k = (tensor.bfloat16() for tensor in random_qk(2))
    assert torch.allclose(probabilities(SITE, q, k, None).sum(-1), torch.ones(2, 15))


def test_stretched_brings_each_map_to_the_unit_range():
    """Minimum 0 and maximum 1 per map; a constant map points nowhere and becomes 0."""
    maps = torch.stack([torch.arange(6.0), torch.full((6,), 3.0)])
    assert stretched(maps)[0].tolist() == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1])
    assert stretched(maps)[1].tolist() == [0] * 6


def test_answers_are_attention_times_values_of_all_heads():
    """By loops over heads and tokens."""
    q, k = random_qk(2)
    offered = KeysValues(k[:1], torch.randn(1, 2, 6, 3, generator=torch.Generator().manual_seed(0)), None)
    expected = torch.zeros(2, 15, 3)
    for head in range(2):
        attention = (q[:, head] @ k[0, head].T * SITE.scale).softmax(dim=-1)
        for token in range(6):
            expected += attention[:, :, token, None] * offered.v[0, head, token]
    torch.testing.assert_close(answers(SITE, q, offered), expected)
    masked = KeysValues(offered.k, offered.v, torch.tensor([[0.0, -1e4, -1e4, -1e4, -1e4, -1e4]]))
    torch.testing.assert_close(answers(SITE, q, masked)[0, 0], offered.v[0, :, 0].sum(dim=0))


def test_a_tap_of_a_call_keeps_what_each_site_said():
    """In the order of receiving; nothing is formed before it is asked for, and then once."""
    tap = CallTap()
    q, k = random_qk(2)
    tap.receive(SITE, torch.zeros(2, dtype=torch.long), q, k, None)
    (heard,) = tap.heard
    assert "probabilities" not in vars(heard)
    torch.testing.assert_close(heard.probabilities, probabilities(SITE, q, k, None))
    assert heard.probabilities is heard.probabilities
    torch.testing.assert_close(heard.logits().softmax(-1).mean(1), heard.probabilities)
