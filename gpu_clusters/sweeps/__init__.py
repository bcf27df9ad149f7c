"""Sweeps: a whole grid of radii and densities at the price of a few runs."""
