"""Maps of the world and of its regions; each function returns its Figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpu_clusters.errors import UsageError
from gpu_clusters.io.land import CREDIT, Land, land, within
from gpu_clusters.report import style
from gpu_clusters.report.contents import Contents, of_contents
from gpu_clusters.report.dots import Extent, count_by_pixel, shade
from gpu_clusters.report.labels import place_labels
from gpu_clusters.report.tables import first_clusters, indicators_said

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pyproj import Transformer

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees; west > east reaches over the date line."""

REGIONS: dict[str, Box] = {
    "East Asia": (100.0, 18.0, 147.0, 47.0),
    "North America": (-127.0, 23.0, -65.0, 52.0),
    "Europe": (-12.0, 35.5, 32.0, 61.5),
    "India": (67.0, 6.0, 94.0, 34.0),
    "Middle East": (25.0, 20.0, 62.0, 43.0),
}
BY = {"rank": "by rank", "intensity_rank": "by intensity rank"}
WIDTH, HEIGHT, FOOT = 10.0, 6.6, 0.46  # inches: of the map itself where it is not narrow, and of what stands below it
NARROWEST, TALLEST = 6.4, 9.4  # inches: titles need the one, a page has no more than the other


class _View(NamedTuple):
    """A projection and the part of its plane that a map shows, in metres."""

    project: Transformer
    extent: Extent
    land: Land
    world: bool


@of_contents
def world(contents: Contents, by: str = "rank", labels: int = 25) -> Figure:
    """All clusters on the Equal Earth projection.

    Parameters
    ----------
    contents : Contents
    by : {"rank", "intensity_rank"}
        What the colours tell.
    labels : int
        How many clusters are named at most.
    """
    from pyproj import Transformer

    project = Transformer.from_crs("EPSG:4326", "+proj=eqearth +lon_0=0 +R=6371008.8", always_xy=True)
    left, right = (project.transform(lon, 0.0)[0] for lon in (-180.0, 180.0))
    bottom, top = (project.transform(0.0, lat)[1] for lat in (-56.0, 78.0))
    return _draw(contents, _View(project, (left, right, bottom, top), land(), True), "The world's clusters", by, labels)


@of_contents
def region(contents: Contents, box: Box, title: str, by: str = "rank", labels: int = 60) -> Figure:
    """The clusters within a box, on Lambert's azimuthal equal-area projection about its middle.

    Parameters
    ----------
    contents : Contents
    box : (west, south, east, north)
        Degrees; west > east reaches over the date line.
    title : str
    by : {"rank", "intensity_rank"}
    labels : int

    Raises
    ------
    UsageError
        A box that is none.
    """
    from pyproj import Transformer

    west, south, east, north = check_box(box)
    width = (east - west) % 360
    middle = west + width / 2, (south + north) / 2
    project = Transformer.from_crs(
        "EPSG:4326", f"+proj=laea +lon_0={middle[0]} +lat_0={middle[1]} +R=6371008.8", always_xy=True
    )
    along = np.linspace(0, 1, 33)
    x, _ = project.transform([west, east], [middle[1]] * 2)
    _, y = project.transform(np.tile(west + along * width, 2), np.repeat([south, north], 33))
    extent = (x[0], x[1], float(np.median(y[:33])), float(np.median(y[33:])))
    more = max(width, north - south) * 0.35
    around = (
        (west - more + 180) % 360 - 180,
        max(south - more, -90.0),
        (east + more + 180) % 360 - 180,
        min(north + more, 90.0),
    )
    return _draw(contents, _View(project, extent, within(around), False), title, by, labels)


def check_box(box: Sequence[float]) -> Box:
    """A box that can be drawn.

    Raises
    ------
    UsageError
        It is not west, south, east, north in degrees, or wider than half the world.
    """
    try:
        west, south, east, north = (float(value) for value in box)
    except (TypeError, ValueError):
        raise UsageError(f"a region is west, south, east, north in degrees, not {box!r}") from None
    fine = -180 <= west <= 180 and -180 <= east <= 180 and -90 <= south < north <= 90
    if not fine or not 0 < (east - west) % 360 <= 180:
        raise UsageError(
            f"{west:g},{south:g},{east:g},{north:g} is no region: west, south, east, north in degrees, "
            "south below north, at most 180 degrees wide"
        )
    return west, south, east, north


def _draw(contents: Contents, view: _View, title: str, by: str, labels: int) -> Figure:
    if by not in BY:
        raise UsageError(f"by must be one of {', '.join(BY)}, not {by!r}")
    left, right, bottom, top = view.extent
    with style.look():
        ratio = (top - bottom) / (right - left)
        width = max(min(WIDTH, HEIGHT / ratio), NARROWEST)
        height = min(width * 0.98 * ratio, TALLEST)
        fig = style.headed(width, height + FOOT, style.shortened(title, 60), _subtitle(contents, by))
        across, inch = height / ratio / width, 1 / fig.get_figheight()
        ax = fig.add_axes(((1 - across) / 2, FOOT * inch, across, height * inch))
        ax.set_xlim(left, right)
        ax.set_ylim(bottom, top)
        ax.set_xticks([])
        ax.set_yticks([])
        for spine in ax.spines.values():
            spine.set_visible(not view.world)
        _draw_land(ax, view)
        rank = contents.clusters[by].astype("Float64").fillna(np.nan).to_numpy(float, na_value=np.nan)
        colors = [style.band_color(value) for value in rank]
        _draw_locations(ax, contents, view, colors, fig)
        if not view.world:
            _draw_outlines(ax, contents, view, colors)
        _draw_clusters(ax, contents, view, colors, rank, labels, fig)
        _legend(ax, rank, fig)
        style.foot(fig, f"Grey dots: locations outside of clusters. {CREDIT}.")
    return fig


def _subtitle(contents: Contents, by: str) -> str:
    if by == "rank":
        return f"Clusters by their share of the world's {indicators_said(contents.clusters)}; the number is the rank"
    number = contents.ranked_by_intensity
    return f"{first_clusters(number)} by their total share per million people; the number is the intensity rank"


def _draw_land(ax: Axes, view: _View) -> None:
    from matplotlib.collections import LineCollection, PolyCollection

    rings = [np.column_stack(view.project.transform(*ring.T)) for ring in view.land.land]
    lines = [np.column_stack(view.project.transform(*line.T)) for line in view.land.borders]
    ax.add_collection(PolyCollection(rings, facecolor=style.LAND, edgecolor=style.BORDER, linewidth=0.25, zorder=0))
    ax.add_collection(LineCollection(lines, color=style.BORDER, linewidth=0.45, zorder=0.5))


def _draw_locations(ax: Axes, contents: Contents, view: _View, colors: list[str], fig: Figure) -> None:
    """Noise in grey; on maps of regions members in their clusters' colours too."""
    x, y, cluster = _projected(contents.locations, view)
    box = ax.get_position()
    width, height = (
        max(round(part * fig.dpi), 1) for part in (box.width * fig.get_figwidth(), box.height * fig.get_figheight())
    )
    layers = [(cluster < 0, style.NOISE, 0.42, 0.9)]
    if not view.world:
        color = np.array([*colors, ""], dtype=object)[np.where(cluster > 0, cluster - 1, len(colors))]
        layers += [(color == one, one, 0.5, 0.95) for one in dict.fromkeys(colors)]
    picture = np.zeros((height, width, 4), np.uint8)
    for chosen, one, least, most in layers:
        shade(
            picture, count_by_pixel(x[chosen], y[chosen], view.extent, width, height, contents.device), one, least, most
        )
    ax.imshow(picture, extent=view.extent, origin="lower", interpolation="nearest", aspect="auto", zorder=1)


def _projected(places: pd.DataFrame, view: _View) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    """Places on the map's plane that the map shows, and their clusters."""
    lon, lat = places["lon"].to_numpy(), places["lat"].to_numpy()
    x, y = (np.asarray(axis) for axis in view.project.transform(lon, lat))
    left, right, bottom, top = view.extent
    seen = (x >= left) & (x <= right) & (y >= bottom) & (y <= top)
    return x[seen], y[seen], places["cluster_id"].to_numpy()[seen]


def _draw_outlines(ax: Axes, contents: Contents, view: _View, colors: list[str]) -> None:
    from matplotlib.collections import PathCollection
    from matplotlib.path import Path

    if contents.boundaries is None:
        return
    paths, edges = [], []
    left, right, bottom, top = view.extent
    for cluster, geometry in zip(contents.boundaries["cluster_id"], contents.boundaries.geometry, strict=True):
        if geometry is None or geometry.is_empty or not 1 <= cluster <= len(colors):
            continue
        for polygon in _pieces(geometry):
            rings = [
                np.column_stack(view.project.transform(*np.asarray(ring.coords).T[:2]))
                for ring in (polygon.exterior, *polygon.interiors)
            ]
            low, high = rings[0].min(axis=0), rings[0].max(axis=0)
            if (high > (left, bottom)).all() and (low < (right, top)).all() and np.isfinite(high).all():
                paths.append(Path.make_compound_path(*(Path(ring, closed=True) for ring in rings)))
                edges.append(colors[cluster - 1])
    ax.add_collection(PathCollection(paths, facecolor="none", edgecolor=edges, linewidth=0.5, zorder=2), autolim=False)


def _pieces(geometry: Any) -> NDArray[Any]:
    """The polygons of an outline; those that are cut at the date line in one piece, with longitudes beyond 180."""
    import shapely

    parts = shapely.get_parts(geometry)
    west, _, east, _ = shapely.bounds(parts).T
    if west.min() > -180 or east.max() < 180:
        return parts
    beyond = (west == -180) & (east < 0)
    parts[beyond] = shapely.transform(parts[beyond], lambda lonlat: lonlat + np.array([360.0, 0.0]))
    return shapely.get_parts(shapely.union_all(parts))


def _draw_clusters(
    ax: Axes, contents: Contents, view: _View, colors: list[str], rank: NDArray[np.float64], labels: int, fig: Figure
) -> None:
    """Circles as large as the shares, those of the first ranks on top, and names where there is room."""
    clusters = contents.clusters
    x, y = (np.asarray(axis) for axis in view.project.transform(clusters["lon"].to_numpy(), clusters["lat"].to_numpy()))
    left, right, bottom, top = view.extent
    seen = np.flatnonzero((x >= left) & (x <= right) & (y >= bottom) & (y <= top))
    if not len(seen):
        ax.text(0.5, 0.5, "No cluster here", transform=ax.transAxes, ha="center", va="center", color=style.MUTED)
        return
    order = seen[np.argsort(np.where(np.isnan(rank[seen]), np.inf, rank[seen]), kind="stable")]
    share = clusters["total_share"].to_numpy()[order]
    largest = max(float(clusters["total_share"].max()), 1e-9)
    diameter = 3.0 + (15.0 if view.world else 9.0) * np.sqrt(share / largest)  # points
    fill = [colors[i] for i in order]
    back = slice(None, None, -1)
    ax.scatter(
        *(x[order][back], y[order][back]),
        s=(diameter**2)[back],
        c=fill[back],
        edgecolors="white",
        linewidths=0.6,
        zorder=3,
    )
    named = [i for i in order if not np.isnan(rank[i])][:labels]
    texts = [f"{int(rank[i])}  {style.in_line(style.shortened(str(clusters['label'].iat[i]), 34))}" for i in named]
    radii = diameter / 2 if view.world else np.maximum(diameter / 2, _radii(contents, ax, fig)[order])
    _draw_labels(ax, fig, np.column_stack((x[order], y[order])), radii, texts)


def _radii(contents: Contents, ax: Axes, fig: Figure) -> NDArray[np.float64]:
    """How far each cluster's outline reaches on paper, about, in points; 0 where there is none."""
    import shapely

    radii = np.zeros(len(contents.clusters))
    if contents.boundaries is not None and len(contents.boundaries):
        left, right = ax.get_xlim()
        per_degree = 111_195 / (right - left) * ax.get_position().width * fig.get_figwidth() * 72
        area = np.nan_to_num(shapely.area(contents.boundaries.geometry.to_numpy()))
        reach = np.sqrt(area / np.pi) * per_degree * 0.9
        cluster = contents.boundaries["cluster_id"].to_numpy()
        known = (cluster >= 1) & (cluster <= len(radii))
        radii[cluster[known] - 1] = np.minimum(reach[known], 16)
    return radii


def _draw_labels(
    ax: Axes, fig: Figure, points: NDArray[np.float64], radii: NDArray[np.float64], texts: list[str]
) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.patheffects import withStroke

    FigureCanvasAgg(fig)
    renderer = fig.canvas.get_renderer()  # type: ignore[attr-defined]
    points_px = ax.transData.transform(points) * 72 / fig.dpi
    frame = np.array(ax.get_window_extent(renderer).extents) * 72 / fig.dpi
    halo = [withStroke(linewidth=2.2, foreground="white", alpha=0.85)]
    drawn = [ax.text(0, 0, text, fontsize=7.4, path_effects=halo, zorder=5, va="bottom", ha="left") for text in texts]
    boxes = [text.get_window_extent(renderer) for text in drawn]
    sizes = [(box.width * 72 / fig.dpi, box.height * 72 / fig.dpi) for box in boxes]
    inside = (frame[0] + 3, frame[1] + 3, frame[2] - 3, frame[3] - 3)
    placed = {label.point: label for label in place_labels(points_px, list(radii), sizes, inside)}
    back = ax.transData.inverted()
    for number, text in enumerate(drawn):
        label = placed.get(number)
        if label is None:
            text.remove()
            continue
        x, y = back.transform(np.array([label.left, label.bottom]) * fig.dpi / 72)
        text.set_position((float(x), float(y)))
        if label.leader is not None:
            _draw_leader(ax, label.leader, fig.dpi)


def _draw_leader(ax: Axes, line: NDArray[np.float64], dpi: float) -> None:
    """A thin line from a symbol to its label."""
    ends = ax.transData.inverted().transform(line * dpi / 72)
    ax.plot(*ends.T, color=style.MUTED, linewidth=0.5, zorder=4, solid_capstyle="round")


def _legend(ax: Axes, rank: NDArray[np.float64], fig: Figure) -> None:
    """Colours of the ranks; those after the bands and clusters without a rank have one colour."""
    from matplotlib.lines import Line2D

    last, most = style.BANDS[-1][0], int(np.nan_to_num(rank).max(initial=0))
    titles = style.band_titles(most)
    beyond = [f"beyond {last}"] * (most > last) + ["not in this ranking"] * bool(np.isnan(rank).any())
    if beyond:
        titles.append((", ".join(beyond).capitalize(), style.BEYOND))
    handles = [
        Line2D([], [], marker="o", linestyle="none", color=color, markeredgecolor="white", markersize=7, label=title)
        for title, color in titles
    ]
    ax.legend(
        handles=handles,
        loc="upper right",
        bbox_to_anchor=(0.995, ax.get_position().y0),
        bbox_transform=fig.transFigure,
        ncols=len(handles),
        frameon=False,
        fontsize=8,
        handletextpad=0.2,
        columnspacing=1.0,
        borderpad=0.1,
    )
