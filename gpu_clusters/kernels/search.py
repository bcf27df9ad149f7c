"""Where in a band the neighbours of one point are.

Every function here works for one point and one band, allocates nothing and knows no threads, so that a loop on a CPU and a
thread of a GPU can both call it. Positions in a band that goes round (longitudes) may run from ``-size`` to ``2 * size``: a
position below 0 or from ``size`` on means the same band one turn earlier or later. `piece` brings them back.
"""

from __future__ import annotations

import math

from numba import njit

from gpu_clusters.compiled import cached
from gpu_clusters.kernels.spaces import SPHERE

TWICE_DEGREES = 2 * 180 / math.pi
WHOLE = 180.0  # half-width of an interval that is all of a band
CLOSE = 8  # a position is close enough when it is known to so many points
FEW = 24  # with fewer candidates than this, test them all instead of looking for the sure ones

POINTS_PER_CELL = 4  # of a band's table, on average

KEY, X, Y, Z = 0, 1, 2, 3  # rows of `points`, (4, n) float64: the points, sorted by band and key
LOW_Z, LOW_RING, HIGH_Z, HIGH_RING, SCALE = 0, 1, 2, 3, 4  # rows of `edges`, (5, m) float64: see `bands.Bands`

# No reference counting (_nrt): these functions only read arrays, and the counts cost more than the work.
point_function = cached(njit, error_model="numpy", forceinline=True, _nrt=False)


@point_function
def opening(kind, limit, z, ring, edge_z, edge_ring):
    """How far apart the keys of a point and of one at an edge of a band may be: the square of the difference in a plane,
    of the sine of half of it on the sphere (1 and more: all round). Negative if the edge is out of reach.

    On the sphere the squared chord of two points is ``dz**2 + (ring - edge_ring)**2 + 4 ring edge_ring sin(dkey / 2)**2``.
    """
    rest = limit - (z - edge_z) * (z - edge_z)
    if kind != SPHERE:
        return rest
    rest -= (ring - edge_ring) * (ring - edge_ring)
    span = 4 * ring * edge_ring
    if rest <= 0:
        return rest
    return rest / span if rest < span else 1.0


@point_function
def half_width(kind, opened):
    """The difference of keys that belongs to an `opening`; -1 if there is none, `WHOLE` if it is all round."""
    if opened < 0:
        return -1.0
    if kind != SPHERE:
        return math.sqrt(opened)
    if opened >= 1:
        return WHOLE
    sine = math.sqrt(opened)
    if sine < 0.01:
        return TWICE_DEGREES * sine * (1 + opened * (1 / 6 + opened * (3 / 40)))
    return TWICE_DEGREES * math.asin(sine)


@point_function
def half_width_at_turn(reach, ring):
    """Half-width at the height where it turns: the widest of a circle of less than a quarter turn, else the narrowest."""
    if reach.kind != SPHERE:
        return reach.sine
    sine = reach.sine * (1 + 1e-12) + 1e-14
    widest = math.degrees(math.asin(sine / ring)) if sine < ring else WHOLE
    return widest if reach.cosine > 0 else WHOLE - widest


@point_function
def maybe_width(reach, edges, band, z, ring):
    """Largest half-width of the keys within reach of a point from any height of a band; negative if there are none.

    The half-width grows towards one height (where the circle of the radius is widest) and falls beyond, so the least is at an
    edge of the band, and the largest at an edge or at that height. With a radius of more than a quarter turn it is the other
    way round: it falls towards that height, which is the antipode's.
    """
    low_z, high_z = edges[LOW_Z, band], edges[HIGH_Z, band]
    if reach.cosine > 0:
        turn = z / reach.cosine
        if low_z <= turn <= high_z:
            return half_width_at_turn(reach, ring)
    low = opening(reach.kind, reach.maybe, z, ring, low_z, edges[LOW_RING, band])
    high = opening(reach.kind, reach.maybe, z, ring, high_z, edges[HIGH_RING, band])
    return half_width(reach.kind, max(low, high))


@point_function
def sure_width(reach, edges, band, z, ring):
    """Largest half-width of the keys that are within reach of a point from every height of a band; see `maybe_width`."""
    low_z, high_z = edges[LOW_Z, band], edges[HIGH_Z, band]
    low = opening(reach.kind, reach.sure, z, ring, low_z, edges[LOW_RING, band])
    high = opening(reach.kind, reach.sure, z, ring, high_z, edges[HIGH_RING, band])
    width = half_width(reach.kind, min(low, high))
    if reach.cosine < 0 and low_z <= z / reach.cosine <= high_z:
        width = min(width, half_width_at_turn(reach, ring))
    return width


@point_function
def first_entry(start, band):
    """Where a band's part of the table begins: it has one entry more than it has cells."""
    return start[band] // POINTS_PER_CELL + 2 * band


@point_function
def cell_of(offset, scale, cells):
    """Cell of a band's table in which a key lies, ``offset`` from the band's first key; -1 before, ``cells`` behind all."""
    place = offset * scale
    if place < 0:
        return -1
    return int(place) if place < cells else cells


@point_function
def bracket(points, start, edges, table, band, target):
    """Positions in a band between which its first key of at least ``target`` is, closely: by table, then by halving."""
    begin = start[band]
    first = first_entry(start, band)
    cells = first_entry(start, band + 1) - first - 1
    cell = cell_of(target - points[KEY, begin], edges[SCALE, band], cells)
    if cell < 0:
        return 0, 0
    if cell >= cells:
        size = start[band + 1] - begin
        return size, size
    low, high = table[first + cell], table[first + cell + 1]
    while high - low > CLOSE:
        middle = (low + high) >> 1
        below = points[KEY, begin + middle] < target
        low = middle + 1 if below else low
        high = high if below else middle
    return low, high


@point_function
def bracket_round(points, start, edges, table, band, target, period):
    """`bracket` where keys lie in [-period / 2, period / 2) and the band goes round."""
    turn = 0
    if period > 0:
        if target < -period / 2:
            target += period
            turn = -1
        elif target >= period / 2:
            target -= period
            turn = 1
    low, high = bracket(points, start, edges, table, band, target)
    shift = turn * (start[band + 1] - start[band])
    return low + shift, high + shift


@point_function
def candidates(reach, points, start, edges, table, band, key, z, ring):
    """Positions ``a..d`` in a band outside of which no point is within reach of a point."""
    width = maybe_width(reach, edges, band, z, ring)
    if width < 0:
        return 0, 0
    return around(reach, points, start, edges, table, band, key, width)


@point_function
def around(reach, points, start, edges, table, band, key, width):
    """Positions ``a..d`` in a band outside of which no key is within ``width`` of a key."""
    width += reach.slack
    size = start[band + 1] - start[band]
    a, _ = bracket_round(points, start, edges, table, band, key - width, reach.period)
    if reach.period > 0 and width >= WHOLE - 1e-9:
        return a, a + size
    _, d = bracket_round(points, start, edges, table, band, key + width, reach.period)
    return a, min(d, a + size)  # brackets are a little wide: never let them meet behind


@point_function
def interval(reach, points, start, edges, table, band, key, z, ring):
    """Positions ``a <= b <= c <= d`` in a band: neighbours are all in a..d, and all of b..c are neighbours."""
    a, d = candidates(reach, points, start, edges, table, band, key, z, ring)
    if d - a < FEW:
        return a, d, d, d
    width = sure_width(reach, edges, band, z, ring)
    if reach.period > 0 and width >= WHOLE:
        return a, a, d, d
    width -= reach.slack
    if width < 0:
        return a, d, d, d
    _, b = bracket_round(points, start, edges, table, band, key - width, reach.period)
    c, _ = bracket_round(points, start, edges, table, band, key + width, reach.period)
    b = max(a, b)
    c = min(c, d)
    if b >= c:
        return a, d, d, d
    return a, b, c, d


@point_function
def piece(a, b, size, turn):
    """The part of positions a..b that lies in turn -1, 0 or 1 of a band, as positions 0..size."""
    return min(max(a - turn * size, 0), size), min(max(b - turn * size, 0), size)
