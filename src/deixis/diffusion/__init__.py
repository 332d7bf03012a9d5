"""Noise levels, the deterministic step between them, and the walks that bring an image's latent there."""
