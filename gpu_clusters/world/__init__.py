"""The planted world: a synthetic globe whose published totals are planted, so that the chapter's tables come out of it.

`make_world` writes the inputs of ``rank``, `differences` compares a ranking with what is published.
"""

from __future__ import annotations

from gpu_clusters.world.check import coverage_differences, differences, printed, side_by_side
from gpu_clusters.world.make import World, make_world

__all__ = ["World", "coverage_differences", "differences", "make_world", "printed", "side_by_side"]
