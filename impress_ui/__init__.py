"""IMPRESS UI: protect, purify and measure images against latent diffusion models."""

__version__ = "0.1.0"
