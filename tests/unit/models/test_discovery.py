"""One dry call tells which layers run, when, and on what grid."""

import pytest
import torch

from deixis.errors import ModelError
from deixis.models.discovery import Layer, discover


class Net(torch.nn.Module):
    """Runs its second layer first, on half the grid."""

    def __init__(self):
        super().__init__()
        self.plane = torch.nn.Identity()
        self.first, self.second, self.never = (torch.nn.Linear(4, 4) for _ in range(3))

    def forward(self, x):
        small = self.plane(x[..., ::2, :])
        self.second(small.flatten(2).transpose(1, 2))
        return self.first(self.plane(x).flatten(2).transpose(1, 2))


def layer(name, module):
    return Layer(name, module, module, module, module, heads=2, scale=0.5)


def test_order_and_grids_are_those_of_the_call():
    net = Net()
    layers = [layer("a.attentions.0", net.first), layer("b.attention", net.second), layer("c", net.never)]
    found = discover(lambda: net(torch.zeros(1, 4, 6, 5)), [net.plane], layers)
    assert [(one.site.name, one.site.index, one.site.grid, one.site.stage) for one in found] == [
        ("b.attention", 0, (3, 5), "b"),
        ("a.attentions.0", 1, (6, 5), "a"),
    ]


def test_hooks_are_gone_afterwards_also_after_a_failure():
    net = Net()
    with pytest.raises(RuntimeError):
        discover(lambda: net(torch.zeros(1, 7, 6, 5)), [net.plane], [layer("a", net.first)])
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in net.modules())


def test_a_network_that_runs_none_is_an_error():
    net = Net()
    with pytest.raises(ModelError, match="no cross-attention"):
        discover(lambda: net(torch.zeros(1, 4, 6, 5)), [net.plane], [layer("c", net.never)])
