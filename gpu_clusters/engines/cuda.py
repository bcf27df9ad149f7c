"""CUDA kernels around the per-point functions of `gpu_clusters.kernels`; nothing else imports ``numba.cuda``.

One thread works for one point. The bodies for GPUs of what `kernels.twofold` declares are here too.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numba.cuda
from numba.cuda import libdevice
from numba.extending import overload

from gpu_clusters.compiled import cached
from gpu_clusters.kernels import linking, twofold
from gpu_clusters.kernels.bands import cells_per_key, enter, find_edges
from gpu_clusters.kernels.density import weight_in_band
from gpu_clusters.kernels.evenodd import OUT, where
from gpu_clusters.kernels.linking import find, link_in_band, prefer_in_band, within
from gpu_clusters.kernels.search import KEY, LOW_Z, SCALE, X, Y, Z, cell_of, first_entry

cuda: Any = numba.cuda
THREADS = 128  # of a block


def check_compiler(xp: Any) -> None:
    """Compile a kernel and run it, on arrays of the module ``xp``: cupy; an error says what that lacks.

    The compiler's parts may all be there and be of releases that do not go together, with the driver either.
    """
    if getattr(numba.cuda, "implementation", "") != "NVIDIA":  # that of Numba fails only when a kernel is compiled
        raise RuntimeError(
            "numba.cuda is Numba's own; numba-cuda takes its place where its .pth file is in site-packages"
        )
    edges = xp.zeros((5, 1))
    try:
        launch(bound, 1, True, xp.ones((4, 1)), xp.arange(2), edges)  # of one point; its ring takes libdevice
    except Exception as error:  # of the linker: what is too old is in its second line
        raise RuntimeError(" ".join(str(error).split()) or type(error).__name__) from error
    if float(edges[LOW_Z, 0]) != 1:
        raise RuntimeError("a kernel that was to write a number has not")


def launch(kernel: Any, count: int, *args: Any) -> None:
    """Run a kernel with one thread for each of ``count`` points; it gets ``args``."""
    if count:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Grid size")  # a small problem is no mistake
            kernel[-(-count // THREADS), THREADS](*args)


def squared_length_unfused(dx, dy, dz):
    """Intrinsics with a rounding mode are never contracted."""
    square = libdevice.dadd_rn(libdevice.dmul_rn(dx, dx), libdevice.dmul_rn(dy, dy))
    return libdevice.dadd_rn(square, libdevice.dmul_rn(dz, dz))


def squared_length_in_plane_unfused(dx, dy):
    return libdevice.dadd_rn(libdevice.dmul_rn(dx, dx), libdevice.dmul_rn(dy, dy))


def plus_product_unfused(total, one, other):
    return libdevice.dadd_rn(total, libdevice.dmul_rn(one, other))


def add_among_threads(sums, row, column, value):
    cuda.atomic.add(sums, (row, column), value)


def unite_among_threads(parent, i, j):
    """`linking.unite` while other threads do the same: hang the larger root on the smaller if it still is a root, or go on from
    where it has been hung, as a plain look may still show it as a root.

    Entries only ever get smaller and the smallest point of a component is never hung on another, so the roots that remain do not
    depend on the order.
    """
    while True:
        i, j = find(parent, i), find(parent, j)
        if i == j:
            return i
        low, high = min(i, j), max(i, j)
        above = cuda.atomic.cas(parent, high, high, low)
        if above == high:
            return low
        i, j = above, low


ON_GPU: dict[Any, Any] = {
    twofold.squared_length: squared_length_unfused,
    twofold.squared_length_in_plane: squared_length_in_plane_unfused,
    twofold.plus_product: plus_product_unfused,
    twofold.add_at: add_among_threads,
    linking.unite: unite_among_threads,
}
for function, body in ON_GPU.items():
    overload(function, target="cuda", strict=False)(lambda *_, body=body: body)


@cached(cuda.jit)
def bound(sphere, points, start, edges):
    """Note the lowest and the highest point of each band."""
    own = cuda.grid(1)
    if own < edges.shape[1]:
        find_edges(sphere, points, start, edges, own)


@cached(cuda.jit)
def scale(points, start, edges):
    """Note the cells per unit of key of each band."""
    own = cuda.grid(1)
    if own < edges.shape[1]:
        edges[SCALE, own] = cells_per_key(points, start, own)


@cached(cuda.jit)
def tabulate(points, start, edges, table, band):
    """Fill the table of `bands.Bands`; ``edges`` has the scales."""
    i = cuda.grid(1)
    if i < band.shape[0]:
        own = band[i]
        begin, scale, before = start[own], edges[SCALE, own], -1
        if i > begin:
            cells = first_entry(start, own + 1) - first_entry(start, own) - 1
            before = cell_of(points[KEY, i - 1] - points[KEY, begin], scale, cells)
        enter(points, start, table, own, scale, before, i)


@cached(cuda.jit)
def weigh(points, start, edges, table, weight, prefix, reach, first, last, band, result):
    """Weight within reach of each point."""
    p = cuda.grid(1)
    if p < result.shape[0]:
        key, x, y, z = points[KEY, p], points[X, p], points[Y, p], points[Z, p]
        ring = math.sqrt(x * x + y * y)
        total = 0
        for other in range(first[band[p]], last[band[p]]):
            total += weight_in_band(points, start, edges, table, weight, prefix, reach, other, key, x, y, z, ring)
        result[p] = total


@cached(cuda.jit)
def begin_runs(points, start, limit, band, begins):
    """Whether a core point is out of reach of the one before it in its band."""
    p = cuda.grid(1)
    if p < begins.shape[0]:
        begins[p] = p == start[band[p]] or not within(points, limit, p - 1, points[X, p], points[Y, p], points[Z, p])


@cached(cuda.jit)
def link(points, start, edges, table, reach, last, band, parent, run_end):
    """Unite each core point with those within reach in its own and in later bands."""
    p = cuda.grid(1)
    if p < parent.shape[0]:
        own = band[p]
        for other in range(own, last[own]):
            link_in_band(reach, points, start, edges, table, parent, run_end, p, own, other)


@cached(cuda.jit)
def find_roots(parent, root):
    """Root of each point. It goes elsewhere: another thread's search may still write to ``parent``."""
    p = cuda.grid(1)
    if p < parent.shape[0]:
        root[p] = find(parent, p)


@cached(cuda.jit)
def prefer(queries, points, start, edges, table, value, blocks, lon, lat, order, reach, first, last, band, result):
    """The preferred core point of each query, -1 for none."""
    p = cuda.grid(1)
    if p < result.shape[0]:
        key, x, y, z = queries[KEY, p], queries[X, p], queries[Y, p], queries[Z, p]
        ring = math.sqrt(x * x + y * y)
        best = -1
        for other in range(first[band[p]], last[band[p]]):
            best = prefer_in_band(
                *(points, start, edges, table, value, blocks, lon, lat, order, reach, other, best, key, x, y, z, ring)
            )
        result[p] = best


@cached(cuda.jit)
def find_first(label, place, first):
    """The smallest place of each label."""
    i = cuda.grid(1)
    if i < label.shape[0]:
        cuda.atomic.min(first, label[i], place[i])


@cached(cuda.jit)
def find_polygons(x, y, edges, first, box, slot, polygon, state):
    """Count into ``slot`` the polygons that may hold each point (no ``polygon`` given), or write them from there on."""
    p = cuda.grid(1)
    if p < x.shape[0]:
        for k in range(box.shape[1]):
            if box[0, k] <= x[p] <= box[2, k] and box[1, k] <= y[p] <= box[3, k]:
                found = where(edges, first[k], first[k + 1], x[p], y[p])
                if found != OUT:
                    if polygon.shape[0] > 0:
                        polygon[slot[p]], state[slot[p]] = k, found
                    slot[p] += 1
