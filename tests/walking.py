"""Walks and readers of one image, for tests."""

from functools import partial

from deixis.diffusion.walks import Course, generated, walk
from deixis.maps.batches import Batches
from deixis.maps.reading import Reader
from deixis.recipes import NoisedWalk


def walked(model, latent, how, *, content="", seed=0, log_snr=None):
    """The trajectory of one latent."""
    return walk(model, latent, Course(how, seed, log_snr), [content])[0]


def reader_of(model, trajectory, *, batch=16, sites=None):
    """A reader over one trajectory, of all sites unless told."""
    shape, course = tuple(trajectory.latents.shape[1:]), Course(NoisedWalk(len(trajectory)))
    made_up = partial(generated, model, course=course, shape=shape, steps=4)
    return Reader(model, (trajectory,), tuple(sites or model.spec.sites), Batches(batch), made_up)
