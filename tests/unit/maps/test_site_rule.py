"""Which sites are read."""

from dataclasses import replace

import pytest

from deixis.errors import DeixisError
from deixis.maps.sites import choose_by_rule, sites_named
from deixis.types import Box, Site
from planted_model import PlantedModel


def spec_of(image_size, stages):
    """A spec with the given (stage, grid side) per site, in call order."""
    sites = tuple(
        Site(f"{stage}.{i}", i, "cross", (side, side), 1, 1.0, stage) for i, (stage, side) in enumerate(stages)
    )
    return replace(PlantedModel(Box(0, 0, 1, 1)).spec, image_size=image_size, sites=sites)


MONAI = [("down1", 32)] * 2 + [("down2", 16)] * 2 + [("middle", 16)] + [("up0", 16)] * 3 + [("up1", 32)] * 3
SD15 = (
    [("down0", 64)] * 2 + [("down1", 32)] * 2 + [("down2", 16)] * 2 + [("middle", 8)]
    + [("up1", 16)] * 3 + [("up2", 32)] * 3 + [("up3", 64)] * 3
)  # fmt: skip


@pytest.mark.parametrize(("stages", "expected"), [(MONAI, [3, 4, 6, 7]), (SD15, [5, 8, 9])])
def test_the_rule_gives_the_published_sites(stages, expected):
    """The paper's {3, 4, 6, 7} of the MONAI network, carried over to {5, 8, 9} of Stable Diffusion 1.5."""
    assert [site.index for site in choose_by_rule(spec_of(512, stages)).sites] == expected


def test_a_network_without_such_a_grid_is_told_what_it_has():
    """The error names the sites, so that a reading can be written."""
    with pytest.raises(DeixisError, match=r"0 \(32×32\), 1 \(16×16\)"):
        choose_by_rule(spec_of(256, [("a", 32), ("b", 16)]))


def test_a_transformer_is_read_in_the_middle_of_its_depth():
    """One grid from end to end; where the published sites lie in call order: .3 to .7."""
    choice = choose_by_rule(spec_of(512, [(f"block{i}", 32) for i in range(28)]))
    assert [site.index for site in choice.sites] == list(range(9, 19))
    assert "depth" in choice.why


def test_named_sites_come_in_call_order():
    """Whatever order the recipe lists them in, each once."""
    assert [site.index for site in sites_named(spec_of(512, MONAI), (7, 3, 3))] == [3, 7]


@pytest.mark.parametrize("indices", [(3, 99), (-1,), ()])
def test_a_site_that_is_not_there_is_an_error(indices):
    """Never a silent choice of others."""
    with pytest.raises(DeixisError, match="sites"):
        sites_named(spec_of(512, MONAI), indices)
