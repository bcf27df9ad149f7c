"""The settings of a sweep: values along its axes, and the baseline among them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from numbers import Real
from typing import Any, NamedTuple

from gpu_clusters.errors import UsageError
from gpu_clusters.settings import WEIGHTINGS

DEFAULT_BASELINE = (15.0, 4500.0)
MOST_VALUES = 10_000  # levels of density have 16 bits
SHOWN = 6  # values of a range in a message


class Grid(NamedTuple):
    """Ascending radii in kilometres and densities, the weightings, and the baseline (radius, density) of the first of these."""

    radii: tuple[float, ...]
    densities: tuple[float, ...]
    weightings: tuple[str, ...]
    baseline: tuple[float, float]


def grid_of(radius_km: Any, density: Any, weighting: Any, baseline: Any) -> Grid:
    """Check and order what was asked for; values may be numbers, sequences of numbers, or texts such as ``"10:20:1"``."""
    radii, densities = values("radius_km", radius_km), values("density", density)
    weightings = tuple(_items(weighting))
    for name in weightings:
        if name not in WEIGHTINGS:
            raise UsageError(f"weighting must be one or more of {', '.join(WEIGHTINGS)}, not {name!r}")
    if not weightings or len(set(weightings)) < len(weightings):
        raise UsageError(f"weighting must name each of its values once, not {weighting!r}")
    return Grid(radii, densities, weightings, _baseline(baseline, radii, densities))


def values(name: str, given: Any) -> tuple[float, ...]:
    """Values of an axis: ``start:stop:step`` (stop if a step meets it), a comma list of such and of numbers, or numbers."""
    found: set[float] = set()
    for item in _items(given):
        exact = _range(name, item) if isinstance(item, str) and ":" in item else [_number(name, item)]
        found.update(map(float, exact))
    if not found:
        raise UsageError(f"{name} has no values")
    if len(found) > MOST_VALUES:
        raise UsageError(f"{name} has {len(found):,} values: at most {MOST_VALUES:,} make sense")
    return tuple(sorted(found))


def unmet(name: str, given: Any) -> list[str]:
    """What to tell of ranges whose steps do not meet their stop, and so end before it; ``given`` as for `values`."""
    told = []
    for item in _items(given):
        if isinstance(item, str) and ":" in item:
            found, stop = _range(name, item), item.split(":")[1].strip()
            if found[-1] != _number(name, stop):
                shown = found if len(found) <= SHOWN else [*found[: SHOWN - 1], None, found[-1]]
                taken = ", ".join("..." if value is None else f"{float(value):.15g}" for value in shown)
                told.append(f"{name} {item!r} does not meet {stop}: it takes {taken}")
    return told


def _items(given: Any) -> list[Any]:
    """What is listed: the parts of a text, what is in a sequence, or one thing alone."""
    if isinstance(given, str):
        return given.split(",")
    return list(given) if isinstance(given, Iterable) and not isinstance(given, bytes) else [given]


def _range(name: str, text: str) -> list[Fraction]:
    parts = text.split(":")
    if len(parts) != 3:
        raise UsageError(f"{name} {text!r} is not start:stop:step, as in 10:20:1")
    start, stop, step = (_number(name, part) for part in parts)
    if stop < start:
        raise UsageError(f"{name} {text!r} runs downwards: give the smaller value first")
    steps = (stop - start) // step
    if steps >= MOST_VALUES:
        raise UsageError(f"{name} {text!r} has {steps + 1:,} values: at most {MOST_VALUES:,} make sense")
    return [start + i * step for i in range(steps + 1)]


def _number(name: str, given: Any, form: str = " or ranges start:stop:step") -> Fraction:
    """A positive decimal number, exactly as it is written; ``form`` is what an error says of other forms."""
    try:
        if not isinstance(given, (str, Real)):
            raise ValueError
        text = given.strip() if isinstance(given, str) else str(given)
        if not 0 < float(text) < math.inf:  # a Fraction of 1e99999999 would take minutes
            raise ValueError
        return Fraction(text)
    except ValueError:
        raise UsageError(f"{name} must be numbers above 0{form}, not {given!r}") from None


def _baseline(given: Any, radii: tuple[float, ...], densities: tuple[float, ...]) -> tuple[float, float]:
    if given is not None:
        parts = _items(given)
        if len(parts) != 2:
            raise UsageError(f"baseline must be a radius and a density, as in 15,4500, not {given!r}")
        radius, density = (float(_number("baseline", part, ", as in 15,4500")) for part in parts)
        return radius, density
    if DEFAULT_BASELINE[0] in radii and DEFAULT_BASELINE[1] in densities:
        return DEFAULT_BASELINE
    return radii[(len(radii) - 1) // 2], densities[(len(densities) - 1) // 2]
