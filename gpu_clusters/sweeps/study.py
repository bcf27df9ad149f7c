"""What a sweep finds once for all of its settings, and one radius of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpu_clusters.arrays import sum_by, to_host
from gpu_clusters.engines.levels import ON_CPU, Kernels
from gpu_clusters.engines.native import cluster
from gpu_clusters.engines.protocol import Engine, Problem
from gpu_clusters.kernels.bands import Bands, build
from gpu_clusters.kernels.nearby import passages
from gpu_clusters.kernels.spaces import SPHERE, Reach, degrees_reach, in_degrees, on_sphere, sphere_reach
from gpu_clusters.settings import Settings
from gpu_clusters.steps.cluster import extent, reach_within, space
from gpu_clusters.steps.compare import Baseline, Comparison, compare, shared_by_level
from gpu_clusters.steps.hierarchy import Hierarchy, Neighbourhood
from gpu_clusters.steps.merge import ties_of
from gpu_clusters.steps.pools import NO_POOLS, Pools, find_pools
from gpu_clusters.steps.single import Clusters, Inputs, evaluate
from gpu_clusters.steps.tally import node_sums, tally
from gpu_clusters.sweeps.radius import Radius, homes_of


class Part(NamedTuple):
    """The settings of one radius, ``d`` densities, against ``b`` baseline clusters.

    The clusters of density ``i`` are rows ``start[i]:start[i + 1]``, by rank: ``rank``, counts, ``densest`` (location) and
    ``match`` (baseline cluster, -1 none). By density: ``core``, ``member`` locations, ``matched`` clusters, ``adjusted_rand``,
    ``kendall_tau``. By density and baseline cluster, (d, b): see `Comparison`.
    """

    start: NDArray[np.int64]
    rank: NDArray[np.int32]
    patents: NDArray[np.float64]
    publications: NDArray[np.float64]
    deals: NDArray[np.float64]
    densest: NDArray[np.int32]
    match: NDArray[np.int32]
    core: NDArray[np.int64]
    member: NDArray[np.int64]
    matched: NDArray[np.int64]
    adjusted_rand: NDArray[np.float64]
    kendall_tau: NDArray[np.float64]
    baseline_rank: NDArray[np.int32]
    likeness: NDArray[np.float64]
    split: NDArray[np.bool_]
    swallowed: NDArray[np.bool_]


@dataclass(eq=False)
class Study:
    """Inputs and what is found once; ``settings`` are those that all settings of the grid share.

    ``engine`` computes single settings, ``kernels`` the clusters of a radius at all densities.
    """

    inputs: Inputs
    settings: Settings
    densities: tuple[float, ...]
    baseline: Baseline | None = None
    engine: Engine = cluster
    kernels: Kernels = ON_CPU

    def __post_init__(self) -> None:
        found = self.inputs.located.locations
        n = len(found.lon)
        self.addresses = int(found.inventors.sum()), int(found.authors.sum())
        self._patents = tally(self.inputs.patents, self.inputs.located.patents, n, self.kernels)
        self._publications = tally(self.inputs.publications, self.inputs.located.publications, n, self.kernels)
        self._deals = tally(self.inputs.deals, self.inputs.deal_place, len(self.inputs.deal_lon))
        self._areas = _areas(self.inputs, self.settings.area_degrees, self.kernels)
        points, _ = space(found.lon, found.lat, self.settings)
        self._space = points.kind, extent(points)
        self._around: tuple[str, Neighbourhood] | None = None
        self._latest: tuple[tuple[str, float], Radius] | None = None
        self._on_sphere: Bands | None = None

    def weights(self, weighting: str) -> NDArray[np.int64]:
        """Weight of each location."""
        found = self.inputs.located.locations
        per_inventor, per_author = replace(self.settings, weighting=weighting).weights(*self.addresses)
        return found.inventors * per_inventor + found.authors * per_author

    def thresholds(self, weighting: str) -> list[int]:
        """Threshold of each density."""
        settings = replace(self.settings, weighting=weighting)
        return [self._threshold(replace(settings, density=density)) for density in self.densities]

    def single(self, weighting: str, radius_km: float, density: float) -> tuple[Clusters, NDArray[np.int64], int]:
        """One setting by a run of its own: clusters by rank, each location's cluster, and the number of core locations."""
        settings = replace(self.settings, weighting=weighting, radius_km=radius_km, density=density)
        found, weight = self.inputs.located.locations, self.weights(weighting)
        points, reach = space(found.lon, found.lat, settings)
        threshold = settings.threshold(*self.addresses)
        clustering = self.engine(Problem(points, found.lon, found.lat, weight, reach, threshold, "densest"))
        clusters, number = evaluate(self.inputs, clustering, weight, settings)
        return clusters, number, int(clustering.core.sum())

    def radius(self, weighting: str, radius_km: float) -> Radius:
        """The clusters of a radius at all densities; that of the latest radius is kept."""
        if self._latest is None or self._latest[0] != (weighting, radius_km):
            self._latest = None
            found = self._radius(weighting, radius_km, self.thresholds(weighting))
            self._latest = (weighting, radius_km), found
        return self._latest[1]

    def compare_with(self, weighting: str, radius_km: float, density: float) -> Clusters:
        """Make a setting, on the grid or not, the baseline; its clusters by rank."""
        settings = replace(self.settings, weighting=weighting, radius_km=radius_km, density=density)
        found = self._radius(weighting, radius_km, [self._threshold(settings)])
        clusters, number_of = found.clusters(1)
        self.baseline = Baseline(found.numbers(1, number_of).astype(np.int32), clusters.rank, clusters.size)
        self._baseline_there = self.kernels.xp.asarray(self.baseline.number)
        return clusters

    def _threshold(self, settings: Settings) -> int:
        """Threshold of a setting; what no weight can reach is as good as the largest number of 64 bits."""
        return min(settings.threshold(*self.addresses), np.iinfo(np.int64).max)

    def _neighbourhood(self, weighting: str) -> Neighbourhood:
        """The points of all radii, in the weights of the latest weighting."""
        if self._around is None or self._around[0] != weighting:
            found = self.inputs.located.locations
            around = Neighbourhood(
                lambda: space(found.lon, found.lat, self.settings)[0], self.weights(weighting), self.kernels
            )
            self._around = weighting, around
        return self._around[1]

    def __getstate__(self) -> dict[str, Any]:
        """All but what each worker finds again."""
        return self.__dict__ | {"_around": None, "_latest": None, "_on_sphere": None}

    def forget(self) -> None:
        """Give the memory of the points and of the latest radius back; they are found again where they are asked for."""
        self._around = self._latest = self._on_sphere = None

    def numbers(self, weighting: str, radius_km: float, density: float) -> NDArray[np.int64]:
        """Each location's cluster by rank, 0, 1, ...; -1 for noise."""
        found = self.radius(weighting, radius_km)
        settings = replace(self.settings, weighting=weighting, radius_km=radius_km, density=density)
        level = int(np.searchsorted(found.tree.thresholds, self._threshold(settings))) + 1
        return found.numbers(level, found.clusters(level)[1])

    def part(self, weighting: str, radius_km: float) -> Part:
        """All densities of a radius."""
        assert self.baseline is not None
        found = self.radius(weighting, radius_km)
        tree, others, member = found.tree, len(self.baseline.rank), self.baseline.number >= 0
        baseline_weight = sum_by(self.baseline.number[member], self.weights(weighting)[member], others)
        there = self._neighbourhood(weighting).weight
        arriving = self.kernels.arrivals(tree.held, tree.arrival, self._baseline_there, there, others)
        levels: list[tuple[Clusters, Comparison, int]] = []
        for level, shared in enumerate(shared_by_level(tree.nodes, arriving, others, len(tree.thresholds)), 1):
            clusters, number_of = found.clusters(level)
            against = compare(
                found.shared(shared, number_of),
                *(clusters.rank, clusters.size, clusters.weight),
                *(self.baseline, baseline_weight, self.settings.top),
            )
            levels.append((clusters, against, found.core(level)))
        place = np.searchsorted(tree.thresholds, self.thresholds(weighting))
        return _part([levels[i] for i in place])

    def _radius(self, weighting: str, radius_km: float, thresholds: list[int]) -> Radius:
        """The clusters of a radius at all thresholds."""
        k, around = self.kernels, self._neighbourhood(weighting)
        levels = np.unique(np.array(thresholds, np.int64))
        tree = around.hierarchy(reach_within(*self._space, radius_km), levels)
        pools = self._pools(tree, around, replace(self.settings, radius_km=radius_km))
        homes = homes_of(tree, pools)
        amounts = to_host(k.members_of(tree.held, tree.arrival, tree.core, around.weight))
        amounts = np.concatenate((amounts, pools.sums(amounts[pools.node])))
        deals = np.zeros(len(homes.level))
        if self._areas is not None:
            level = k.xp.concatenate((tree.held.level, k.xp.zeros(1, np.int16)))[tree.arrival]
            near = k.nearest_by_level(*self._areas, level, len(levels))
            events = passages(near, tree.nodes, tree.arrival, homes.first[homes.of[:-1]])
            deals = node_sums(self._deals, tree.nodes, *events, pools=pools)
        patents, publications = (
            node_sums(of, tree.held, tree.arrival, kernels=k, pools=pools) for of in (self._patents, self._publications)
        )
        return Radius(tree, homes, amounts, (patents, publications, deals), self.inputs.totals)

    def _pools(self, tree: Hierarchy, around: Neighbourhood, settings: Settings) -> Pools:
        """What merging makes of the clusters of a radius."""
        if settings.merge_km is None:
            return NO_POOLS
        located, points = self.inputs.located, around.bands
        if points is None or self._space[0] != SPHERE:
            if self._on_sphere is None:
                everywhere = on_sphere(located.locations.lon, located.locations.lat)
                self._on_sphere = build(everywhere, sphere_reach(settings.merge_km))
            points = self._on_sphere
        return find_pools(tree, points, ties_of(located, self.inputs.patents, self.inputs.publications), settings)


def _areas(inputs: Inputs, area_degrees: float, kernels: Kernels) -> tuple[Bands, Bands, Reach] | None:
    """The places of deals and the locations, in degrees, and the reach of areas; None without deals."""
    if not len(inputs.deal_lon):
        return None
    found, reach = inputs.located.locations, degrees_reach(area_degrees)
    places = kernels.build(in_degrees(inputs.deal_lon, inputs.deal_lat), reach)
    return places, kernels.build(in_degrees(found.lon, found.lat), reach), reach


def _part(settings: list[tuple[Clusters, Comparison, int]]) -> Part:
    clusters, against = [one[0] for one in settings], [one[1] for one in settings]

    def rows(name: str, kind: type) -> NDArray:
        return np.concatenate([getattr(one, name) for one in clusters]).astype(kind)

    return Part(
        start=np.concatenate(([0], np.cumsum([len(one.rank) for one in clusters]))).astype(np.int64),
        rank=rows("rank", np.int32),
        patents=rows("patents", np.float64),
        publications=rows("publications", np.float64),
        deals=rows("deals", np.float64),
        densest=rows("densest", np.int32),
        match=np.concatenate([one.match for one in against]).astype(np.int32),
        core=np.array([one[2] for one in settings], np.int64),
        member=np.array([one.size.sum() for one in clusters], np.int64),
        matched=np.array([(one.match >= 0).sum() for one in against], np.int64),
        adjusted_rand=np.array([one.adjusted_rand for one in against]),
        kendall_tau=np.array([one.kendall_tau for one in against]),
        baseline_rank=np.stack([one.rank for one in against]),
        likeness=np.stack([one.likeness for one in against]),
        split=np.stack([one.split for one in against]),
        swallowed=np.stack([one.swallowed for one in against]),
    )
