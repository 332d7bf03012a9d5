"""The recipes that make a small latent diffusion model: `deixis.training.recipe.train` runs them all."""
