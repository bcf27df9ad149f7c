"""Compiled kernels: a neighbour index on sphere and plane, and what is computed with it."""
