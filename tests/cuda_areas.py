"""Areas and gaps on a GPU, without one; run by test_areas_gpu.py in a process of its own.

cuda_areas.py simulate SEEDS       in numba's simulator, on a double of CuPy's arrays, against all pairs (NUMBA_ENABLE_CUDASIM=1)
cuda_areas.py emulate SEEDS        the same with the kernels' PTX for an H100, by `cuda_machine`: needs numba-cuda but no GPU
cuda_areas.py compile              show that PTX
"""

import sys
from dataclasses import replace
from functools import partial

import cupy_double
import naive
import numpy as np

from gpu_clusters.engines import areas, cuda, native
from gpu_clusters.io.model import Addresses, Deals
from gpu_clusters.kernels import bands as index
from gpu_clusters.kernels.spaces import degrees_reach, in_degrees, in_plane, on_sphere, plane_reach, sphere_reach
from gpu_clusters.settings import Settings
from gpu_clusters.steps.cluster import cluster
from gpu_clusters.steps.locate import Located, locate
from gpu_clusters.steps.merge import merge
from gpu_clusters.steps.overlay import overlay


def places(rng, kind, n):
    """Random places of a kind, some of them twice."""
    lon, lat, radius = naive.random_problem_points(rng, kind, n)
    copies = rng.integers(0, n, n // 3)
    return np.append(lon, lon[copies]), np.append(lat, lat[copies]), radius


def nearest(seed, kind):
    """Places of deals among those of members, on the same lattice where there is one."""
    rng = np.random.default_rng([seed, naive.KINDS.index(kind)])
    n = int(rng.integers(1, 60))
    lon, lat, _ = places(rng, kind, n)
    radius = float(rng.choice([0.05, 0.5, 1.0, 2.0**0.5, 3.0, 200.0]))
    member = rng.random(len(lon)) < 0.6
    deal = ~member | (rng.random(len(lon)) < 0.3)
    group = rng.integers(0, 5, int(member.sum()))
    reach = degrees_reach(radius)
    targets = index.build(in_degrees(lon[member], lat[member]), reach)
    queries = index.build(in_degrees(lon[deal], lat[deal]), reach)
    dx = np.abs(lon[deal][:, None] - lon[member])
    dx, dy = np.where(dx > 180, 360 - dx, dx), np.abs(lat[deal][:, None] - lat[member])
    square = dx * dx + dy * dy
    square[square > reach.limit] = np.inf
    expected = np.full(len(square), -1)
    for q, row in enumerate(square):
        if np.isfinite(row).any():
            expected[q] = group[row == row.min()].min()
    tied = sum(len(set(group[row == row.min()])) > 1 for row in square if np.isfinite(row).any())
    return queries, targets, group[targets.order], reach, expected[queries.order], tied


def close(seed, kind):
    """Clusters that interleave, some places in none, and queries that are some of the clusters' places."""
    rng = np.random.default_rng([seed, naive.KINDS.index(kind)])
    lon, lat, radius = places(rng, kind, int(rng.integers(1, 60)))
    if kind == "plane":
        points, reach = in_plane(lon, lat), plane_reach(1000 * radius, float(np.abs(lat).max()))
    else:
        points, reach = on_sphere(lon, lat), sphere_reach(radius)
    label = rng.integers(0, 6, len(lon)) if seed % 2 else np.sort(rng.integers(0, 6, len(lon)))
    label[rng.random(len(lon)) < (0.3 if seed % 4 > 1 else 0.0)] = -1  # these are in no pair
    targets = index.build(points, reach)
    kept = rng.random(len(lon)) < (0.5 if seed % 3 else 1.0)
    queries, chosen = index.select(targets, points.kind, kept & (label[targets.order] >= 0))
    asked = targets.order[chosen]
    near = naive.neighbours(points, reach)[asked]
    one, other = np.broadcast_to(label[asked][:, None], near.shape)[near], np.broadcast_to(label, near.shape)[near]
    expected = {(min(pair), max(pair)) for pair in zip(one.tolist(), other.tolist(), strict=True) if pair[0] != pair[1]}
    expected = {pair for pair in expected if pair[0] >= 0}
    return queries, label[asked], targets, label[targets.order], reach, sorted(expected)


def world(seed, xp):
    """Tables of a small world, and what of it a run on a GPU has in arrays of ``xp``."""
    rng = np.random.default_rng(seed)
    sites = rng.integers(0, 9, (30, 2)) * 0.04 + ((-180.0, 89.6), (0.0, 0.0), (179.9, -60.0))[seed % 3]
    deal_sites = sites[rng.integers(0, 30, 50)] + rng.choice([0, 0.02, 0.06], (50, 2))
    for lon in (sites[:, 0], deal_sites[:, 0]):
        lon[:] = (lon + 180) % 360 - 180
    tables = []
    for name in ("patents", "publications"):
        sizes = rng.choice([1, 2, 3, 12], 40)
        start, site = np.concatenate(([0], np.cumsum(sizes))), rng.integers(0, len(sites), sizes.sum())
        none = np.full(len(site), -1, np.int32)
        tables.append(Addresses(name, *sites[site].T, start, none, (), none, (), None))
    if seed % 4 > 1:
        tables[seed % 4 - 2] = None
    settings = Settings(radius_km=5.0, density=int(rng.integers(4, 25)), merge_km=float(rng.choice([5.0, 12.0])))
    located = locate(*tables, settings)
    moved = (None if array is None else xp.asarray(array) for array in located[1:])
    there = [table and replace(table, doc_start=xp.asarray(table.doc_start)) for table in tables]
    deals = Deals(*deal_sites.T, np.ones(50), np.full(50, -1, np.int32), ())
    clustering = cluster(located.locations, settings, native.cluster)
    return tables, there, located, Located(located.locations, *moved), deals, clustering, settings


def crossings(name):
    """Bytes that the device sent or was sent."""
    return [size for kind, size in cupy_double.log if kind == name]


def check(seeds):
    answered = ties = 0
    for kind in set(naive.KINDS) - {"plane"}:  # which has metres
        for seed in range(seeds):
            *given, expected, tied = nearest(seed, kind)
            cupy_double.log.clear()
            found = areas.nearest_members(cupy_double, *given)
            assert type(found) is np.ndarray and found.dtype == np.int64
            assert crossings("get") == [found.nbytes]
            np.testing.assert_array_equal(found, expected, err_msg=f"{kind} {seed}")
            answered, ties = answered + (found >= 0).sum(), ties + tied
    assert answered > 50 and ties > 5, (answered, ties)
    print("nearest members equal all pairs")
    pairs = 0
    for kind in naive.KINDS:
        for seed in range(seeds):
            *given, expected = close(seed, kind)
            areas.BLOCK = (1, 5, 40, 1 << 23)[seed % 4]
            cupy_double.log.clear()
            found = areas.close_pairs(cupy_double, *given)
            assert type(found) is np.ndarray and found.dtype == np.int64 and found.shape == (len(expected), 2)
            np.testing.assert_array_equal(found, np.array(expected, np.int64).reshape(-1, 2), err_msg=f"{kind} {seed}")
            if areas.BLOCK > 1000:  # the ends of one block, then the pairs
                assert crossings("get")[-1] == 8 * len(found) and sum(crossings("get")) <= 8 * len(found) + 32
            pairs += len(found)
    assert pairs > 50, pairs
    print("close pairs equal all pairs, block by block")
    merged = placed = 0
    for seed in range(4 * seeds):
        tables, there, located, located_there, deals, clustering, settings = world(seed, cupy_double)
        expected = merge(located, clustering, *tables, settings)
        found = merge(located_there, clustering, *there, settings, partial(areas.close_pairs, cupy_double))
        for mine, other in zip(found, expected, strict=True):
            np.testing.assert_array_equal(mine, other, err_msg=str(seed))
        given = (deals, located.locations, found.labels, settings)
        in_area = overlay(*given)
        for mine, other in zip(overlay(*given, partial(areas.nearest_members, cupy_double)), in_area, strict=True):
            np.testing.assert_array_equal(mine, other, err_msg=str(seed))
        merged, placed = merged + len(found.pairs), placed + (in_area.labels >= 0).sum()
    assert merged > 5 and placed > 50, (merged, placed)
    print("merging and overlay equal the CPU's")


def compiled():
    """PTX of both kernels, and of what they do once a thread has its query."""
    from cuda_ptx import show
    from numba import cuda as numba_cuda

    calls = {}
    cuda.launch = lambda kernel, _, *args: calls.setdefault(kernel, args)
    rng = np.random.default_rng(0)
    lon, lat = rng.uniform(0, 1, (2, 50))
    reach = degrees_reach(0.05)
    bands = index.build(in_degrees(lon, lat), reach)
    areas.nearest_members(np, bands, bands, bands.order, reach)
    areas.close_pairs(np, bands, bands.order, bands, bands.order, sphere_reach(5.0))

    for kernel, args in calls.items():
        show(kernel, *args)

    from gpu_clusters.kernels.areas import squared_degrees
    from gpu_clusters.kernels.gaps import pairs_in_run

    def only_test_areas(points, group, limit, best, nearest):
        q = numba_cuda.grid(1)
        square = squared_degrees(points[1, q], points[3, q], points[1, 0], points[3, 0])
        if square <= limit and (square < nearest[q] or (square == nearest[q] and group[0] < best[q])):
            best[q], nearest[q] = group[0], square

    def only_test_gaps(points, label, run_end, limit, slot, pairs):
        q = numba_cuda.grid(1)
        x, y, z = points[1, q], points[2, q], points[3, q]
        slot[q] = pairs_in_run(points, label, run_end, limit, label[q], x, y, z, 0, slot.shape[0], slot[q], pairs)

    whole, pairs = np.zeros(5, np.int64), np.zeros((5, 2), np.int64)
    show(only_test_areas, bands.points, whole, 1.0, whole, lon)
    show(only_test_gaps, bands.points, whole, whole, 1.0, whole, pairs)


match sys.argv[1:]:
    case ["compile"]:
        compiled()
    case ["simulate", seeds]:
        cuda.launch = cupy_double.taken_by(cuda.launch)
        check(int(seeds))
    case ["emulate", seeds]:
        from cuda_machine import launch

        cuda.launch = launch
        check(int(seeds))
