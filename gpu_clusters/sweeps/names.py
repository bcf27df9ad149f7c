"""What the clusters of a sweep's baseline are called."""

from __future__ import annotations

import numpy as np

from gpu_clusters.pipeline import named
from gpu_clusters.steps.members import of_locations
from gpu_clusters.steps.overlay import Overlay, in_areas
from gpu_clusters.sweeps.study import Study


def names(study: Study) -> list[str]:
    """Names of the baseline's clusters by rank, those that a single run gives them."""
    assert study.baseline is not None
    inputs, number = study.inputs, study.baseline.number.astype(np.int64)
    members, placed = of_locations(number), None
    if inputs.deal_place is not None:
        lon, lat = inputs.deal_lon, inputs.deal_lat
        area = in_areas(lon, lat, inputs.located.locations, number, study.settings.area_degrees)
        placed = Overlay(lon, lat, area, inputs.deal_place)
    order = members.number[: members.clusters]  # labels are ranks, and members are numbered by their first one
    totals = dict(zip(("patents", "publications", "deals"), inputs.totals, strict=True))
    found = named(inputs, inputs.located, placed, members, order, totals, None).names
    return [found[cluster] for cluster in order.tolist()]
