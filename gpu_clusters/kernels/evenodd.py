"""Whether a point is in a polygon, by counting the edges to its right; what rounding could decide is left to others."""

from __future__ import annotations

from gpu_clusters.kernels.search import point_function

OUT, IN, NEAR = 0, 1, 2

# Shewchuk's bound for the sign of a determinant of 2 x 2 differences, "Adaptive Precision Floating-Point Arithmetic" (1997):
# (3 + 16 e) e with e = 2**-53. A contracted product only makes the error smaller.
ERROR = 3.3306690738754716e-16


@point_function
def where(edges, first, last, x, y):
    """`OUT`, `IN` (edges included), or `NEAR`: so close to an edge that only exact arithmetic can tell.

    Parameters
    ----------
    edges : (4, e) float64
        ``x0, y0, x1, y1`` of the edges of polygons, of all their rings in any order; those of one polygon are ``first..last``.
    first, last : int
    x, y : float
    """
    state = OUT
    for e in range(first, last):
        x0, y0, x1, y1 = edges[0, e], edges[1, e], edges[2, e], edges[3, e]
        if x > max(x0, x1) or y > max(y0, y1) or y < min(y0, y1):
            continue
        if y0 == y1:
            if x >= min(x0, x1):
                return IN
            continue
        one, other = (x0 - x) * (y1 - y), (x1 - x) * (y0 - y)
        turn = one - other
        if abs(turn) <= ERROR * (abs(one) + abs(other)):
            return NEAR
        if (y0 <= y) != (y1 <= y) and (turn > 0) == (y1 > y0):
            state = IN + OUT - state
    return state
