"""Everything a run depends on besides its data: frozen, validated, with the method's defaults."""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from fractions import Fraction
from numbers import Integral, Rational, Real
from typing import Any

from gpu_clusters.errors import UsageError
from gpu_clusters.schema import OPTIONAL, REQUIRED, TABLES

WEIGHTINGS = ("inventor-equivalent", "total-preserving", "raw")
BORDERS = ("densest", "lowest")
DEVICES = ("auto", "cpu", "gpu")
BOUNDARIES = ("area", "hull", "concave")
ENGINES = ("auto", "native", "cuml", "sklearn")
Years = tuple[int | None, int | None]
LARGEST = sys.float_info.max  # Python's whole numbers go on beyond


@dataclass(frozen=True)
class Settings:
    """Settings of a run.

    Parameters
    ----------
    radius_km : float
        Radius of DBSCAN in kilometres; > 0.
    density : float
        Weight that a location must have within the radius to be core, in addresses (see ``weighting``); > 0.
    weighting : {"inventor-equivalent", "total-preserving", "raw"}
        How an inventor's and an author's address compare. With the first two all inventors' addresses weigh as much as all
        authors'; ``density`` is then in inventors' addresses, or in addresses of mean weight. ``"raw"``: each address weighs 1.
    merge_km : float or None
        Largest gap in kilometres between clusters that may be merged; None merges none.
    area_degrees : float
        A cluster's area is what lies within so many degrees of a member; > 0.
    boundary : {"area", "hull", "concave"} or path
        What deals and people are assigned by: a cluster's area, the convex or the concave hull of its places, or the polygons
        of a file, of which each belongs to the cluster whose places in it weigh most.
    region_name : str or None
        Column of names in the file of regions; one called ``name`` where None.
    border : {"densest", "lowest"}
        The core neighbour that a border location joins.
    top : int
        Number of clusters in the intensity ranking; >= 1.
    crs : str or None
        Projected coordinate system in metres (``"EPSG:3035"``) to cluster in; None clusters on the sphere.
    columns : dict of str to dict of str to str
        Per table, the user's column for a canonical name: ``{"patents": {"organization": "applicant"}}``.
    years : dict of str to (int or None, int or None)
        Per table, the first and last year that count.
    device : {"auto", "cpu", "gpu"}
    engine : {"auto", "native", "cuml", "sklearn"}

    Raises
    ------
    UsageError
        A value that makes no sense; the message names the setting.

    Examples
    --------
    >>> from gpu_clusters import Settings
    >>> settings = Settings(density=118, years={"patents": (2019, 2023)})  # rank(..., settings) and sweep(..., settings) take it
    >>> settings.radius_km, settings.threshold(inventors=112_037, authors=0)
    (15.0, 118)
    """

    radius_km: float = 15.0
    density: float = 4500.0
    weighting: str = "inventor-equivalent"
    merge_km: float | None = 5.0
    area_degrees: float = 0.05
    boundary: str = "area"
    region_name: str | None = None
    border: str = "densest"
    top: int = 100
    crs: str | None = None
    columns: dict[str, dict[str, str]] = field(default_factory=dict, hash=False)
    years: dict[str, tuple[int | None, int | None]] = field(default_factory=dict, hash=False)
    device: str = "auto"
    engine: str = "auto"

    def __post_init__(self) -> None:
        for name in ("radius_km", "density", "area_degrees"):
            self._set(name, _positive(name, getattr(self, name)))
        if self.merge_km is not None:
            merge_km = _number(self.merge_km)
            if not 0 <= merge_km <= LARGEST:
                raise UsageError(f"merge_km must be a finite number of kilometres, 0 or more, not {self.merge_km!r}")
            self._set("merge_km", merge_km)
        self._set("top", checked_top(self.top))
        if self.crs is not None and not isinstance(self.crs, str):
            hint = "; give its to_string()" if hasattr(self.crs, "to_string") else ""
            raise UsageError(f"crs must be a text such as 'EPSG:3035', not {_shown(self.crs)}{hint}")
        if isinstance(self.boundary, os.PathLike):
            self._set("boundary", os.fspath(self.boundary))
        if not isinstance(self.boundary, str) or not self.boundary:
            hint = "; write it to a file with to_parquet" if hasattr(self.boundary, "to_parquet") else ""
            raise UsageError(
                f"boundary must be area, hull, concave or the path of a file, not {_shown(self.boundary)}{hint}"
            )
        if self.region_name is not None and not isinstance(self.region_name, str):
            raise UsageError(f"region_name must be the name of a column, not {self.region_name!r}")
        _one_of("weighting", self.weighting, WEIGHTINGS)
        _one_of("border", self.border, BORDERS)
        _one_of("device", self.device, DEVICES)
        _one_of("engine", self.engine, ENGINES)
        _mapping("columns", self.columns)
        _mapping("years", self.years)
        for table, mapping in self.columns.items():
            _one_of("table in columns", table, TABLES)
            _mapping(f"columns of {table}", mapping)
            for name in mapping:
                _one_of(f"column of {table}", name, REQUIRED[table] + OPTIONAL[table])
                if not isinstance(mapping[name], str):
                    raise UsageError(f"columns of {table}: {name} must be the name of a column, not {mapping[name]!r}")
        for table in self.years:
            _one_of("table in years", table, TABLES)
        self._set("columns", {table: dict(mapping) for table, mapping in self.columns.items()})
        self._set("years", {t: years_window(f"years of {t}", years) for t, years in self.years.items()})

    def _set(self, name: str, value: Any) -> None:
        """Keep a checked value as one of Python's own, which nobody else can change."""
        object.__setattr__(self, name, value)

    def threshold(self, inventors: int, authors: int) -> int:
        """Weight from which on a location is core; see `weights`.

        Parameters
        ----------
        inventors, authors : int
            All geocoded addresses of patents and of publications; 0 where the table is absent.

        Returns
        -------
        int
            ``density`` as a decimal number times the weight of one inventor, rounded up in exact arithmetic.
        """
        density = Fraction(str(self.density))
        if inventors and authors:
            if self.weighting == "inventor-equivalent":
                density *= authors
            elif self.weighting == "total-preserving":
                density *= Fraction(2 * inventors * authors, inventors + authors)
        return math.ceil(density)

    def weights(self, inventors: int, authors: int) -> tuple[int, int]:
        """Weight of one inventor's and of one author's address; whole numbers.

        Parameters
        ----------
        inventors, authors : int
            All geocoded addresses of patents and of publications; 0 where the table is absent.

        Returns
        -------
        int, int
            The number of authors' addresses and that of inventors', so that each kind weighs as much in total; 1 and 1 where a
            table is absent, or ``weighting`` is ``"raw"``.

        Raises
        ------
        UsageError
            The weights of all addresses could overflow 64-bit integers.
        """
        if not (inventors and authors) or self.weighting == "raw":
            return 1, 1
        if 2 * inventors * authors >= 2**62:
            raise UsageError(
                f"{inventors:,} inventor and {authors:,} author addresses overflow the whole-number weights of "
                f"weighting {self.weighting!r} (2 x inventors x authors must stay below 2^62): use weighting 'raw'"
            )
        return authors, inventors

    def as_dict(self) -> dict[str, Any]:
        """The settings as plain values, for the manifest."""
        return asdict(self)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of all settings."""
        return tuple(f.name for f in fields(cls))


def _shown(value: object) -> str:
    """A value as a message shows it; of what may be long its kind."""
    return repr(value) if value is None or isinstance(value, (str, bytes, Real)) else type(value).__name__


def checked_top(value: object) -> int:
    """How many of the first clusters are meant by ``top``.

    Raises
    ------
    UsageError
        It is no whole number of 1 or more.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < 1:
        raise UsageError(f"top must be a whole number, 1 or more, not {value!r}")
    return int(value)


def years_window(name: str, value: Any) -> Years:
    """The first and the last year that count; None for no end.

    Raises
    ------
    UsageError
        It is no pair of whole numbers or None, or ends before it begins.
    """
    if not (isinstance(value, (tuple, list)) and len(value) == 2 and all(map(_is_year, value))):
        raise UsageError(f"{name} must be (first, last), whole numbers or None, not {value!r}")
    first, last = (None if year is None else int(year) for year in value)
    if first is not None and last is not None and first > last:
        raise UsageError(f"{name} run from {first} to {last}: the first year must not be after the last")
    return first, last


def _mapping(name: str, value: object) -> None:
    if not isinstance(value, Mapping):
        raise UsageError(f"{name} must be a dict, not {value!r}")


def _is_year(value: object) -> bool:
    return value is None or (isinstance(value, Integral) and not isinstance(value, bool) and abs(int(value)) <= LARGEST)


def _number(value: Any) -> float:
    """One of Python's numbers, NaN for what is none; NumPy's, which compute in a precision of their own, are read as decimals."""
    if not isinstance(value, Real) or isinstance(value, bool):
        return math.nan
    if isinstance(value, Integral):
        return int(value)
    try:
        return float(value if isinstance(value, Rational) else str(value))
    except OverflowError:
        return math.inf


def _positive(name: str, value: Any) -> float:
    number = _number(value)
    if not 0 < number <= LARGEST:
        raise UsageError(f"{name} must be a finite number above 0, not {value!r}")
    return number


def _one_of(what: str, value: object, choices: tuple[str, ...]) -> None:
    if not isinstance(value, str) or value not in choices:
        raise UsageError(f"{what} must be one of {', '.join(choices)}, not {value!r}")
