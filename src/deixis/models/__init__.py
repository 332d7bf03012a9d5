"""Frozen latent diffusion models: finding their weights, and one adapter per family behind `LatentModel`."""

from deixis.silence import without_telemetry

# The libraries below read the switch once, when they are imported, which the modules of this room do.
without_telemetry()
