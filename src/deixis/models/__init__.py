"""Frozen latent diffusion models: finding their weights, and one adapter per family behind `LatentModel`."""
