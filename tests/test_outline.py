"""Polygons of areas against the method's own words: the nearest member within so many degrees, by all pairs."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from reference import assign_deals, by_first_member, reference_rank
from scenes import KINDS
from worlds import random_world

from gpu_clusters.kernels.outline import SECTORS, near_others, uncovered
from gpu_clusters.steps.divide import lines_between
from gpu_clusters.steps.outline import _gaps, area_polygons, decimals, tolerance


def members_of(world) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    found = reference_rank(world.patents, world.publications, None, **world.settings).locations
    found = found[found["cluster_id"] > 0]
    return found["lon"].to_numpy(), found["lat"].to_numpy(), by_first_member(found["cluster_id"].to_numpy())


def covers(shape, lon, lat) -> np.ndarray:
    """Whether a polygon holds places, its edge included; -180 and 180 are one meridian."""
    shapely.prepare(shape)
    return shapely.intersects_xy(shape, lon, lat) | ((lon == -180) & shapely.intersects_xy(shape, -lon, lat))


def probes(rng, lon, lat, area) -> tuple[np.ndarray, np.ndarray]:
    """Places about members, at the edges of their areas, and half way between two of them."""
    count = 400
    i, j = rng.integers(len(lon), size=(2, count))
    turn, away = rng.uniform(0, 2 * np.pi, count), area * rng.choice([0.3, 0.999, 1.0, 1.002, 1.5], count)
    x, y = lon[i] + away * np.cos(turn), lat[i] + away * np.sin(turn)
    straight = rng.random(count) < 0.2
    x[straight], y[straight] = lon[i][straight] + area, lat[i][straight]
    near = np.abs(lon[i] - lon[j]) + np.abs(lat[i] - lat[j]) < 3 * area
    x[near], y[near] = (lon[i] + lon[j])[near] / 2, (lat[i] + lat[j])[near] / 2
    return (x + 180) % 360 - 180, np.clip(y, -90, 90)


def distances(lon, lat, x, y) -> np.ndarray:
    """From places (rows) to members (columns), in plain degrees, the shorter way round."""
    dx = np.abs(np.subtract.outer(x, lon))
    return np.hypot(np.minimum(dx, 360 - dx), np.subtract.outer(y, lat))


def check(rng, lon, lat, group, area) -> None:
    groups = int(group.max(initial=-1)) + 1
    shapes = area_polygons(lon, lat, group, groups, area)
    assert len(shapes) == groups and shapely.is_valid(shapes).all()
    if not groups:
        return
    bounds = shapely.bounds(shapes)
    assert (bounds >= [-180, -90, -180, -90]).all() and (bounds <= [180, 90, 180, 90]).all()
    x, y = probes(rng, lon, lat, area)
    assigned = assign_deals(list(zip(y, x, strict=True)), list(zip(lat, lon, strict=True)), group, area)
    rounding = 10.0 ** -decimals(area)
    distance = distances(lon, lat, x, y)
    nearest = distance.min(axis=1)

    def to_others(number):
        return distance[:, group != number].min(axis=1, initial=np.inf)

    for number, shape in enumerate(shapes):
        assert covers(shape, lon[group == number], lat[group == number]).all(), "a member is outside"
        assert not covers(shape, lon[group != number], lat[group != number]).any(), "another's member is inside"
        inside, own = covers(shape, x, y), assigned == number
        left_out = own & ~inside  # none but on the line to a neighbour
        assert (nearest[left_out] >= to_others(number)[left_out] - 4 * rounding).all()
        stray = inside & ~own  # at most the tolerance beyond the area, and not across the line
        to_own = distance[:, group == number].min(axis=1)
        assert (to_own[stray] <= area + tolerance(area)).all()
        assert (to_own[stray] <= to_others(number)[stray] + 4 * rounding).all()
    order = rng.permutation(len(lon))
    again = area_polygons(lon[order], lat[order], group[order], groups, area)
    assert shapely.equals(shapely.normalize(shapes), shapely.normalize(again)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_random_worlds(kind):
    for seed in range(list(KINDS).index(kind), 3 * len(KINDS), len(KINDS)):
        world = random_world(seed)
        rng = np.random.default_rng(seed)
        check(rng, *members_of(world), world.settings["area_degrees"])


@pytest.mark.parametrize("where", [(10.0, 50.0), (180.0, 0.0), (-180.0, 89.9), (0.0, -90.0)])
@pytest.mark.parametrize("digits", [1, 2, 6])
def test_clusters_that_touch(where, digits):
    """Clusters in a heap, a place's cluster drawn by lot or by side, so that areas overlap in every way."""
    for seed in range(6):
        rng = np.random.default_rng(seed)
        count, area = int(rng.integers(2, 150)), float(rng.choice([0.05, 0.25, 0.0001, 3.0]))
        spread = area * rng.uniform(0.3, 4)
        lon = np.round(
            (where[0] + rng.normal(size=count) * spread + 180) % 360 - 180, max(digits, 1 - int(np.log10(area)))
        )
        lat = np.clip(
            np.round(where[1] + rng.normal(size=count) * spread, max(digits, 1 - int(np.log10(area)))), -90, 90
        )
        lon = np.where(lon == 180, -180.0, lon)
        places = np.unique(np.stack([lat, lon], axis=1), axis=0)
        side = rng.integers(0, 3, len(places)) if seed % 2 else (places[:, 0] > where[1] - spread / 3).astype(int)
        check(rng, places[:, 1], places[:, 0], by_first_member(side), area)


@pytest.mark.parametrize("where", [(0.0, 0.0), (32.6, 0.001), (-0.1, 51.5), (180.0, 10.0)])
@pytest.mark.parametrize("apart", [5e-17, 1e-16, 1e-15, 1e-13, 1e-11])
def test_twins(where, apart):
    """Places of a cluster that all but coincide, beside those of another: triangles without a width."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        area, digits = float(rng.choice([0.05, 0.0001, 3.0])), int(rng.integers(2, 7))
        places = np.stack([where[1], where[0]] + rng.normal(size=(int(rng.integers(2, 12)), 2)) * area, axis=0)
        places[0] = where[::-1]
        places = rng.permutation(np.unique(places.round(digits), axis=0))
        count = len(places)
        twins = places[: rng.integers(1, count + 1)].copy()
        axis = int(rng.integers(2))
        twins[:, axis] = np.where(
            twins[:, axis] + apart == twins[:, axis], np.nextafter(twins[:, axis], 99), twins[:, axis] + apart
        )
        side = rng.integers(0, 3, count)
        every, index = np.unique(np.concatenate([places, twins]), axis=0, return_index=True)
        side = np.concatenate([side, side[: len(twins)]])[index]
        lon = (every[:, 1] + 180) % 360 - 180 if abs(where[0]) == 180 else every[:, 1]
        check(rng, lon, every[:, 0], by_first_member(side), area)


@pytest.mark.parametrize("step", [1 / 128, 1 / 120, 0.01])
@pytest.mark.parametrize("seed", [1, 4, 47, 54, 58])
def test_clusters_on_a_lattice(step, seed):
    """Places almost in a line, and lines that end where rounding brings them just short of the edge."""
    rng = np.random.default_rng(seed)
    corner = np.array([[0.0, 0.0], [45.0, 100.0], [40.25, -75.5]])[rng.integers(3)]
    places = np.unique(rng.integers(0, 8, (rng.integers(4, 40), 2)), axis=0) * step + corner
    quarter = (places - corner > 3.5 * step) @ (2, 1)
    side = quarter if seed % 2 else rng.integers(0, 4, len(places))
    check(rng, places[:, 1], places[:, 0], by_first_member(side), float(rng.choice([0.02, 0.03125, 0.05])))


def test_lines_meet_where_four_places_are_on_a_circle():
    """Two triangles have one centre, at half a unit of the last decimal: its two roundings must be joined."""
    arm = np.array([1 / 64, 0.0296875])
    arms = [np.outer(arm, towards) for towards in ((-1, 0), (1, 0), (0, -1), (0, 1))]
    places = np.concatenate([np.zeros((1, 2)), *arms])
    side = np.array([0, 0, 0, 1, 1, 2, 2, 3, 3])
    check(np.random.default_rng(0), places[:, 1], places[:, 0], side, 0.05)


@pytest.mark.parametrize("apart", [1e-9, 1e-11, 1e-13])
def test_places_of_two_clusters_that_all_but_coincide_divide_their_areas(apart):
    shapes = area_polygons(np.array([0.3, 0.3 + apart]), np.array([0.1, 0.1]), np.array([0, 1]), 2, 0.05)
    assert shapely.area(shapes) == pytest.approx(np.pi * 0.05**2 / 2, rel=0.01)
    assert shapely.intersection(*shapes).area < 1e-7


def test_triangles_may_run_either_way_round(monkeypatch):
    rng, triangles = np.random.default_rng(0), shapely.delaunay_triangles
    points, group = rng.normal(size=(60, 2)), rng.integers(0, 3, 60)
    lines = lines_between(points, group, 0.5)

    def turned(given):
        parts = shapely.get_parts(triangles(given))
        return shapely.geometrycollections([*shapely.reverse(parts[::2]), *parts[1::2]])

    monkeypatch.setattr(shapely, "delaunay_triangles", turned)
    again = lines_between(points, group, 0.5)
    assert len(lines.ends) > 20 and (again.sides == lines.sides).all()
    np.testing.assert_allclose(again.ends, lines.ends, atol=1e-9)


def test_scattered_clusters_with_many_holes_and_islands():
    """Rings, islands within them and crowds, so that gaps of members left out lie within real gaps and the other way round."""
    for seed in range(4):
        rng = np.random.default_rng(seed)
        turn, away = rng.uniform(0, 2 * np.pi, 900), rng.choice([0.02, 0.25, 0.3, 0.5, 0.53], 900)
        lon, lat = away * np.cos(turn), away * np.sin(turn)
        crowd = rng.normal((0.9, 0.1), 0.06, (600, 2))
        places = np.concatenate([np.stack([lat, lon], axis=1), crowd, rng.uniform(-0.7, 0.7, (10, 2))])
        check(rng, places[:, 1], places[:, 0], np.zeros(len(places), np.int64), 0.05)


@pytest.mark.parametrize("seed", range(40))
def test_gaps_are_what_lies_within_the_outer_edges_and_not_in_the_polygon(seed):
    """Islands in gaps, gaps in islands, gaps and parts that meet in a point."""
    rng = np.random.default_rng(seed)
    rings = [shapely.Point(0, 0).buffer(radius + 0.5) - shapely.Point(0, 0).buffer(radius) for radius in range(6)]
    corner = rng.integers(-9, 9, (2, 60))
    squares = shapely.box(*corner, *(corner + 1))[: rng.integers(1, 60)]
    shape = shapely.union_all([*rng.choice(np.array(rings, object), rng.integers(0, 5)), *squares])
    outer = shapely.union_all([shapely.Polygon(part.exterior) for part in shapely.get_parts(shape)])
    found, plain = _gaps(shape), shapely.get_parts(shapely.difference(outer, shape))
    assert len(found) == (~shapely.is_empty(plain)).sum()
    assert shapely.equals(shapely.union_all(found), shapely.union_all(plain))


def test_real_holes_stay_and_false_ones_go():
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ring = np.stack([0.2 * np.cos(turn), 0.2 * np.sin(turn)], axis=1)
    (hollow,) = area_polygons(*ring.T, np.zeros(60, np.int64), 1, 0.05)
    assert (
        len(hollow.interiors) == 1
        and hollow.contains(shapely.Point(0.2, 0))
        and not hollow.contains(shapely.Point(0, 0))
    )
    islands = np.concatenate([ring, ring / 20, [(0.5, 0.0)]])  # a full island in the middle of the hollow one
    (nested,) = area_polygons(*islands.T, np.zeros(len(islands), np.int64), 1, 0.05)
    assert [nested.covers(shapely.Point(x, 0)) for x in (0, 0.05, 0.1, 0.2, 0.3, 0.5)] == [1, 1, 0, 1, 0, 1]
    x, y = np.mgrid[-0.2:0.2:41j, -0.2:0.2:41j].reshape(2, -1)
    (full,) = area_polygons(x, y, np.zeros(len(x), np.int64), 1, 0.05)
    assert not full.interiors and full.contains(shapely.Point(0, 0))
    (islands,) = area_polygons(np.array([0.0, 1.0]), np.zeros(2), np.zeros(2, np.int64), 1, 0.05)
    assert islands.geom_type == "MultiPolygon"
    assert islands.area == pytest.approx(2 * np.pi * 0.05**2, rel=2e-3)


@pytest.mark.parametrize("seed", range(60))
def test_members_near_another_group_are_found_and_none_far_from_all(seed):
    rng = np.random.default_rng(seed)
    n, distance = int(rng.integers(0, 200)), 10 ** rng.uniform(-9, 1)
    x, y = (rng.random((2, n)) * rng.choice([1, 10, 300]) * distance + rng.uniform(-90, 90)).round(rng.choice([0, 12]))
    group = rng.integers(0, rng.integers(1, 5), n)
    apart = np.hypot(x[:, None] - x, y[:, None] - y)
    nearest = np.where(group[:, None] != group, apart, np.inf).min(axis=1, initial=np.inf)
    near = near_others(x, y, group, distance)
    assert near[nearest <= distance].all()
    assert not near[nearest > distance * 6 / 4 * np.sqrt(2) * (1 + 1e-9)].any()  # six cells, a quarter wide each


def test_members_are_near_another_group_also_where_rounding_brings_them_within_the_distance():
    """The second lies just below the fourth line of cells, the third at the eighth: in floats they are 1 apart."""
    x, y = np.array([0.0, np.nextafter(1.0, 0.0), 2.0]), np.zeros(3)
    assert x[2] - x[1] == 1.0
    for places in ((x, y), (y, x)):
        assert near_others(*places, np.array([0, 0, 1]), 1.0)[1:].all()


@pytest.mark.parametrize("gap", [0.01, -2.0])
def test_a_disc_is_left_out_only_where_three_around_leave_no_gap(gap):
    """Two leave a gap between them, or lap over, at the edge of a sector of the circle; the third covers what is behind."""
    half, sector = np.radians([80, 80, 61]), 2 * np.pi / SECTORS
    for turn in range(SECTORS):
        middle = turn * sector + np.array([-half[0] - gap * sector / 2, half[1] + gap * sector / 2, np.pi])
        x, y = (np.append(0.0, 2 * np.cos(half) * along(middle)) for along in (np.cos, np.sin))
        assert uncovered(x, y, np.zeros(4, np.int64), 1.0)[0] == (gap > 0), turn


@pytest.mark.parametrize(("away", "kept"), [(0.95, False), (1.05, True)])
def test_a_disc_whose_centre_no_other_holds_is_kept(away, kept):
    """Eight around cover its edge in either case."""
    turn = np.arange(8) * np.pi / 4
    x, y = np.append(0.0, away * np.cos(turn)), np.append(0.0, away * np.sin(turn))
    assert uncovered(x, y, np.zeros(9, np.int64), 1.0)[0] == kept


def test_members_in_the_middle_of_a_crowd_are_left_out_but_for_another_group():
    x, y = np.mgrid[-3:3:31j, -3:3:31j].reshape(2, -1)
    kept = uncovered(x, y, np.zeros(len(x), np.int64), 1.0)
    assert not kept[np.hypot(x, y) < 1.5].any()
    assert uncovered(x / 10, y / 10, np.arange(len(x)), 1.0).all()
