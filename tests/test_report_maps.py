"""What the maps of reports say: places, sizes, colours and order of circles, dots, outlines and names."""

from __future__ import annotations

from dataclasses import replace

import geopandas
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.colors import to_hex
from pyproj import Transformer

from gpu_clusters import UsageError
from gpu_clusters.report import maps, style
from gpu_clusters.report.dots import shade

RADIUS = 6371008.8
COLOR = dict(style.BANDS)


def circles(figure):
    """Places, areas and colours of the circles, the one on top first."""
    drawn = figure.axes[0].collections[-1]
    colors = [to_hex(color) for color in drawn.get_facecolors()]
    return np.asarray(drawn.get_offsets())[::-1], drawn.get_sizes()[::-1], colors[::-1]


def named(figure) -> list[str]:
    """The names on a map, by rank."""
    texts = [text.get_text() for text in figure.axes[0].texts]
    return sorted(texts, key=lambda text: int(text.split()[0]))


def test_colours_by_rank():
    found = [style.band_color(rank) for rank in (1, 10, 11, 25, 26, 50, 51, 100)]
    assert found == [COLOR[last] for last in (10, 10, 25, 25, 50, 50, 100, 100)] and len(set(found)) == 4
    assert style.band_color(101) == style.band_color(np.nan) == style.BEYOND


@pytest.mark.parametrize("by", ["rank", "intensity_rank"])
def test_circles_of_the_world(contents, by):
    """Their areas grow with the shares, the first rank lies on top, and those without a rank below all others."""
    rank = pd.array([30, 9, 60, 2, 300, 12, None, 7, 8, 10, 11, 1], dtype="Int64")
    clusters = contents.ranking.assign(intensity_rank=rank)
    figure = maps.world(replace(contents, ranking=clusters), by)
    x, y = Transformer.from_crs(4326, f"+proj=eqearth +R={RADIUS}", always_xy=True).transform(
        clusters["lon"].to_numpy(), clusters["lat"].to_numpy()
    )
    order = np.arange(12) if by == "rank" else np.array([11, 3, 7, 8, 1, 9, 10, 5, 0, 2, 4, 6])
    places, areas, colors = circles(figure)
    np.testing.assert_allclose(places, np.column_stack((x, y))[order])
    share = clusters["total_share"].to_numpy()
    np.testing.assert_allclose(areas, (3 + 15 * np.sqrt(share / share.max()))[order] ** 2)
    bands = {
        "rank": [10] * 10 + [25] * 2,
        "intensity_rank": [10, 10, 10, 10, 10, 10, 25, 25, 50, 100, None, None],
    }[by]
    assert colors == [COLOR.get(last, style.BEYOND) for last in bands]


def test_the_first_ranks_have_names(contents):
    clusters = contents.clusters
    rank = pd.array([30, 9, 60, 2, 300, 12, None, 7, 8, 10, 11, 1], dtype="Int64")
    by_intensity = replace(contents, ranking=contents.ranking.assign(intensity_rank=rank))
    for made, by, first in ((contents, "rank", [0, 1, 2]), (by_intensity, "intensity_rank", [11, 3, 7])):
        texts = named(maps.world(made, by, labels=3))
        assert [text.split()[0] for text in texts] == [str(made.ranking[by].iat[i]) for i in first]
        for text, i in zip(texts, first, strict=True):
            assert style.shortened(clusters["label"].iat[i], 34) in text
    assert len(named(maps.world(by_intensity, "intensity_rank"))) <= 11  # who has no rank has no number
    with pytest.raises(UsageError, match="by must be one of rank, intensity_rank, not 'name'"):
        maps.world(contents, "name")


def test_as_many_clusters_have_names_as_the_map_asks_for(contents):
    """Of 64 on a lattice the world names 25, a region 60."""
    row, column = np.divmod(np.arange(64), 8)
    ranking = pd.concat([contents.ranking] * 6, ignore_index=True).head(64).assign(name="A")
    ranking["cluster_id"] = ranking["rank"] = np.arange(1, 65)
    made = replace(contents, ranking=ranking.assign(lon=40.0 * column - 140, lat=14.0 * row - 40), boundaries=None)
    assert [int(text.split()[0]) for text in named(maps.world(made))] == list(range(1, 26))
    made = replace(made, ranking=ranking.assign(lon=2.0 * column - 7, lat=1.0 * row - 3.5))
    figure = maps.region(made, (-9, -5, 9, 5), "x")
    assert [int(text.split()[0]) for text in named(figure)] == list(range(1, 61))


@pytest.mark.parametrize("box", [(-10.0, 40.0, 30.0, 60.0), (170.0, -30.0, -150.0, -10.0)], ids=["Europe", "date line"])
def test_a_region_shows_its_box(contents, box):
    """From west to east at its middle latitude; half of its curved southern and northern edges are seen."""
    west, south, east, north = box
    width = (east - west) % 360
    lon, lat = west + width / 2, (south + north) / 2
    project = Transformer.from_crs(4326, f"+proj=laea +lon_0={lon} +lat_0={lat} +R={RADIUS}", always_xy=True)
    axes = maps.region(contents, box, "x").axes[0]
    x, y = project.transform([west, east], [lat, lat])
    np.testing.assert_allclose(axes.get_xlim(), x)
    assert x[0] < -1e6 < 1e6 < x[1] and x[0] == pytest.approx(-x[1])
    along = np.linspace(west, west + width, 33)
    for side, edge in zip((south, north), axes.get_ylim(), strict=True):
        _, y = project.transform(along, np.full(33, side))
        assert np.mean(y < edge) == pytest.approx(0.5, abs=0.05) and (edge > 0) == (side == north)


def test_members_have_the_colours_of_their_clusters_on_maps_of_regions(contents):
    """Noise is grey; on the map of the world members are not drawn."""
    rank = np.where(np.arange(12) < 6, 1, 60)
    clusters = contents.ranking.assign(rank=rank, lon=0.0, lat=0.0)
    places = pd.DataFrame({"lon": [-3.0, -1.0, 1.0, 3.0], "lat": 0.0, "cluster_id": [-1, 1, 7, 12]})
    made = replace(contents, ranking=clusters, locations=places)
    for figure, expected in (
        (maps.region(made, (-4, -3, 4, 3), "x"), [style.NOISE, COLOR[10], COLOR[100], COLOR[100]]),
        (maps.world(made), [style.NOISE]),
    ):
        picture = np.asarray(figure.axes[0].images[0].get_array())
        _, column = np.nonzero(picture[..., 3])
        dots = picture[picture[..., 3] > 0][np.argsort(column)]
        assert [to_hex(dot[:3] / 255) for dot in dots] == expected


def test_the_opacity_of_dots_is_by_the_logarithm_of_their_number():
    counts = np.array([[0, 1, 10], [100, 100, 100]])
    picture = np.zeros((2, 3, 4), np.uint8)
    shade(picture, counts, "#ff8000", 0.4, 0.9)
    assert picture[..., 3].tolist() == [[0, 102, 166], [230, 230, 230]]
    assert picture[0].tolist() == [[0, 0, 0, 0], [255, 128, 0, 102], [255, 128, 0, 166]]
    many = np.append(np.full(999, 10), 10**6)[None]  # one place that is much denser than all others
    lone = np.zeros((1, 1000, 4), np.uint8)
    shade(lone, many, "#000000", 0.4, 0.9)
    assert set(lone[..., 3].ravel().tolist()) == {230}
    for some, opacity in (([[1, 1]], [102, 102]), ([[1, 3]], [102, 230])):
        few = np.zeros((1, 2, 4), np.uint8)
        shade(few, np.array(some), "#000000", 0.4, 0.9)
        assert few[..., 3].ravel().tolist() == opacity


def test_outlines_of_the_clusters_in_a_region(contents):
    """With their holes, in their clusters' colours; those elsewhere and those of nobody are left out."""
    square, hole = shapely.box(-2, -2, 2, 2), shapely.box(-1, -1, 1, 1)
    shapes = [square.difference(hole), shapely.box(2.5, 0, 3, 1), shapely.box(60, 0, 61, 1), square, square, None]
    shapes.append(shapely.box(-61, 0, -60, 1))
    cluster = [7, 1, 2, 0, 13, 3, 4]
    ranking = contents.ranking.assign(rank=np.where(np.arange(12) < 6, 1, 60))
    boundaries = geopandas.GeoDataFrame({"cluster_id": cluster}, geometry=shapes, crs=4326)
    axes = maps.region(replace(contents, ranking=ranking, boundaries=boundaries), (-4, -3, 4, 3), "x").axes[0]
    outlines = axes.collections[2]
    assert [len(path.vertices) for path in outlines.get_paths()] == [10, 5]
    assert [to_hex(color) for color in outlines.get_edgecolors()] == [COLOR[100], COLOR[10]]
    assert len(maps.world(replace(contents, boundaries=boundaries)).axes[0].collections) == 3


def test_names_stand_beside_circles_and_outlines(contents):
    """A name keeps further from a cluster whose outline is large than its circle asks for, but not on the world's map."""
    made = replace(contents, ranking=contents.ranking.head(1).assign(lon=0.0, lat=0.0))
    for side, reach in ((0.01, 6.0), (0.2, None), (30.0, 16.0)):  # the circle is 12 points wide
        shape = [shapely.box(-side / 2, -side / 2, side / 2, side / 2)]
        made = replace(made, boundaries=geopandas.GeoDataFrame({"cluster_id": [1]}, geometry=shape, crs=4326))
        region = maps.region(made, (-4, -3, 4, 3), "x")
        if reach is None:
            reach = 0.9 * 0.2 / np.sqrt(np.pi) * 111_195 * points_of_a_metre(region)
        assert region.axes[0].texts[0].get_position()[0] * points_of_a_metre(region) == pytest.approx(reach + 2.5)
    world = maps.world(made)
    assert world.axes[0].texts[0].get_position()[0] * points_of_a_metre(world) == pytest.approx(9 + 2.5)


def points_of_a_metre(figure) -> float:
    low, high = figure.axes[0].get_xlim()
    return 72 * figure.axes[0].get_position().width * figure.get_figwidth() / (high - low)
