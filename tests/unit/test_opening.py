"""From images to a reader."""

from dataclasses import replace

import numpy as np

from deixis.diffusion.kept import Trajectories
from deixis.maps.batches import Batches
from deixis.opening import Fitted, Way, open_all
from deixis.recipes import FAST, NoisedWalk
from deixis.types import Box, Image
from planted_model import PlantedModel

QUICK = replace(FAST, walk=NoisedWalk(2))


class Elsewhere(PlantedModel):
    """A model whose texts, and so its weights, lie on another device than the CPU."""

    def embed(self, phrases):
        context = super().embed(phrases)
        return replace(context, states=context.states.to("meta"))


def test_what_was_kept_comes_to_the_device_of_the_model(tmp_path):
    """A trajectory out of a file is on the CPU; the reader has it where the denoiser is."""
    place = Box(32, 64, 96, 128)
    fitted = Fitted.into(Image(np.zeros((128, 128), np.float32)), 128, QUICK)
    open_all(PlantedModel(place), [fitted], Way(QUICK, 0, Batches(4), Trajectories(folder=tmp_path)))
    reader = open_all(Elsewhere(place), [fitted], Way(QUICK, 0, Batches(4), Trajectories(folder=tmp_path)))
    assert reader.device.type == "meta"
    assert reader.trajectories[0].clean.device.type == "meta"
