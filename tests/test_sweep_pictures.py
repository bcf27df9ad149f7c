"""Pictures of sweeps: what they show, also where there is little in them."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import LogNorm
from program import OF_A_USER, address_table, tree

from gpu_clusters import sweep
from gpu_clusters.sweeps import pictures
from gpu_clusters.sweeps.pictures import FORMATS, draw, grid_maps, rank_intervals


def drawn(figure):
    """The axes by title; of the colour bars by place."""
    figure.canvas.draw()
    named = [axes for axes in figure.axes if axes.get_title("left")]
    return named, [axes for axes in figure.axes if axes not in named]


def settings(clusters, share):
    radii, densities = np.meshgrid([5.0, 10.0], [3.0, 4.0])
    table = {"radius_km": radii.ravel(), "density": densities.ravel(), "clusters": clusters, "kendall_tau": np.nan}
    return pd.DataFrame(table | dict.fromkeys(("patent_share", "publication_share", "deal_share"), share))


@pytest.mark.parametrize(("clusters", "share"), [(0, 0.0), (1, 100.0), (3, 70.0)])
def test_one_value_has_one_tick(clusters, share):
    """A scale around it would show parts of clusters, fewer than none, and more than all."""
    _, bars = drawn(grid_maps(settings(clusters, share), (5.0, 3.0), "raw"))
    for axes, value in zip(bars[:2], (clusters, share), strict=True):
        assert [label.get_text() for label in axes.get_yticklabels() if label.get_text()] == [f"{value:g}"]


@pytest.mark.parametrize(
    ("baseline", "marked"), [((5.0, 3.0), True), ((7.0, 3.5), True), ((4.0, 3.0), False), ((7.0, 9.0), False)]
)
def test_the_baseline_is_marked_where_it_is_on_the_map(baseline, marked):
    figure = grid_maps(settings(2, 50.0), baseline, "raw")
    named, _ = drawn(figure)
    assert [len(axes.lines) for axes in named] == [2 * marked] * 3
    assert ("cross" in figure.get_suptitle()) == marked and ("beyond" in figure.get_suptitle()) != marked
    assert figure.get_suptitle().endswith(f"baseline, {baseline[0]:g} km and {baseline[1]:g}")


def test_large_settings_are_no_powers_of_ten():
    figure = grid_maps(settings(2, 50.0).replace({"density": {3.0: 1e6}}), (5.0, 1e6), "raw")
    named, _ = drawn(figure)
    assert "1,000,000" in [label.get_text() for label in named[0].get_yticklabels()]
    assert figure.get_suptitle().endswith("baseline, 5 km and 1,000,000")


def test_ranks_are_whole_numbers_on_their_axis():
    whole = pd.Series([1], dtype="Int64")
    one = {"rank": [1], "label": ["Paris"], "best_rank": whole, "worst_rank": whole, "matched": [4]}
    quartiles = {name: [1.0] for name in ("quartile_1_rank", "median_rank", "quartile_3_rank")}
    assert rank_intervals(pd.DataFrame(one | quartiles), 1).axes[0].get_title("left").endswith("in 1 setting")
    figure = rank_intervals(pd.DataFrame(one | quartiles), 4)
    figure.canvas.draw()
    assert figure.axes[0].get_title("left").endswith("in 4 settings")
    low, high = figure.axes[0].get_xlim()
    assert [tick for tick in figure.axes[0].get_xticks() if low <= tick <= high] == [1]


@pytest.mark.parametrize(
    ("weighting", "missing", "unit"),
    [
        ("inventor-equivalent", [], "inventor equivalents"),
        ("total-preserving", [], "weighted addresses"),
        ("raw", [], "addresses"),
        ("inventor-equivalent", ["publication_share"], "addresses"),
    ],
)
def test_a_density_has_the_unit_of_its_weighting(weighting, missing, unit):
    named, _ = drawn(grid_maps(settings(2, 50.0).assign(**dict.fromkeys(missing, 0.0)), None, weighting))
    assert named[0].get_ylabel() == f"density, {unit}"


def test_grey_is_explained():
    """A map without a value says so, one with some says what the grey is, and one with all says nothing."""
    table = settings(2, 50.0)
    for tau, texts, said in ((np.nan, 1, False), ([0.5, 0.6, np.nan, 0.8], 0, True), (0.5, 0, False)):
        named, _ = drawn(grid_maps(table.assign(kendall_tau=tau), None, "raw"))
        assert len(named[2].texts) == texts
        assert ("nothing to compare" in named[2].get_xlabel()) == said and named[2].get_xlabel().startswith(
            "radius, km"
        )
        assert named[0].get_xlabel() == "radius, km"


def test_the_same_sweep_has_the_same_pictures_whatever_the_settings_of_matplotlib(tmp_path):
    found = sweep(address_table(), radius_km=[5, 15], density=[1, 20])
    for name, settings in (("a", {}), ("b", OF_A_USER)):
        (tmp_path / name).mkdir()
        with mpl.rc_context(settings):
            draw(found, tmp_path / name)
    once = tree(tmp_path / "a")
    assert set(once) == {f"{name}.{ending}" for name in ("grid", "ranks") for ending in FORMATS}
    assert once == tree(tmp_path / "b")


def maps(figure):
    """The axes of its maps."""
    return [axes for axes in figure.axes if axes.get_title("left")]


def images(figure):
    return [axes.images[0] for axes in maps(figure)]


def test_maps_have_densities_upwards_and_radii_to_the_right():
    """The share is the mean of the indicators that have one."""
    one, two = [1, 2, 3, 4], np.array([10.0, 20.0, 30.0, 40.0])
    table = settings(one, two).assign(kendall_tau=[0.6, 0.7, 0.8, 0.9], deal_share=0.0, publication_share=two / 2)
    figure = grid_maps(table.sample(frac=1, random_state=1), (10.0, 3.0), "raw")
    for image, values in zip(images(figure), (one, 0.75 * two, [0.6, 0.7, 0.8, 0.9]), strict=True):
        np.testing.assert_allclose(image.get_array(), np.reshape(values, (2, 2)))
        assert image.origin == "lower"
    for axes in maps(figure):
        assert [label.get_text() for label in axes.get_xticklabels()] == ["5", "10"]
        assert [label.get_text() for label in axes.get_yticklabels()] == ["3", "4"]
        assert {tuple(map(float, *line.get_xydata().tolist())) for line in axes.lines} == {(1.0, 0.0)}
    between = maps(grid_maps(table, (6.0, 3.5), "raw"))[0]
    np.testing.assert_allclose(between.lines[-1].get_xydata(), [[0.2, 0.5]])


@pytest.mark.parametrize(
    ("tau", "least"),
    [([0.55, 0.73, 0.99, 1.0], 0.5), ([1.0, 1.0, 1.0, 1.0], 0.9), ([0.3, np.nan, 1.0, 1.0], 0.3), (-0.33, -0.4)],
)
def test_the_scale_of_kendalls_tau_ends_at_one(tau, least):
    limits = images(grid_maps(settings(2, 50.0).assign(kendall_tau=tau), None, "raw"))[2].get_clim()
    assert limits == pytest.approx((least, 1.0))


@pytest.mark.parametrize(
    ("clusters", "logarithmic"),
    [([1, 2, 3, 20], False), ([1, 2, 3, 21], True), ([0, 2, 3, 100], False), ([5, 6, 7, 99], False)],
)
def test_numbers_of_clusters_that_differ_widely_are_coloured_by_their_logarithms(clusters, logarithmic):
    image, share, _ = images(grid_maps(settings(clusters, [1.0, 2.0, 3.0, 99.0]), None, "raw"))
    assert isinstance(image.norm, LogNorm) == logarithmic and not isinstance(share.norm, LogNorm)
    assert image.get_clim() == (min(clusters), max(clusters))


@pytest.mark.parametrize(("count", "step"), [(8, 1), (9, 2), (16, 2), (17, 3)])
def test_a_long_axis_has_every_second_or_third_label(count, step):
    radii = np.arange(1.0, count + 1)
    table = pd.DataFrame({"radius_km": radii, "density": 3.0, "clusters": 2, "kendall_tau": 1.0})
    table = table.assign(patent_share=1.0, publication_share=1.0, deal_share=1.0)
    axes = grid_maps(table, None, "raw").axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == [f"{radius:g}" for radius in radii[::step]]
    assert axes.get_xticks().tolist() == list(range(0, count, step))


def intervals(count, worst):
    """Of so many clusters; the second one is matched nowhere."""
    rank = np.arange(1, count + 1)
    table = {
        "rank": rank,
        "label": "Paris",
        "best_rank": rank,
        "quartile_1_rank": rank + 0.5,
        "median_rank": rank + 1.0,
    }
    table |= {"quartile_3_rank": rank + 2.5, "worst_rank": worst, "matched": np.where(rank == 2, 0, 3)}
    whole = dict.fromkeys(("best_rank", "worst_rank"), "Int64")
    found = pd.DataFrame(table).astype(whole)
    found.loc[1, ["best_rank", "worst_rank"]] = pd.NA
    return found


def test_intervals_of_ranks():
    """Downwards by rank: line from best to worst, bar between the quartiles, median, cross at the baseline's rank."""
    axes = rank_intervals(intervals(25, 9), 4).axes[0]
    assert axes.yaxis_inverted()
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"{rank}  Paris" for rank in range(1, 21)]
    lines = [line.get_xydata().tolist() for line in axes.lines]
    assert lines[:4] == [[[1, 0], [9, 0]], [[2, -0.3], [2, 0.3]], [[1, 0]], [[1, 0]]]
    assert lines[4:6] == [[[2, 1]]] * 2 and lines[6] == [[3, 2], [9, 2]] and len(lines) == 4 * 19 + 2
    found = [(bar.get_x(), bar.get_width(), bar.get_y() + bar.get_height() / 2) for bar in axes.patches]
    assert found == [(row + 1.5, 2, row) for row in range(20) if row != 1]
    said = [text.get_text() for text in axes.texts]
    assert said == ["75%", "0%", *["75%"] * 18, "matched"]
    assert [text.xy[1] for text in axes.texts[:20]] == list(range(20))
    assert axes.get_xlim() == (0.3, 20.7)  # the last cross, beyond the worst rank


@pytest.mark.parametrize(
    ("worst", "ticks"), [(60, None), (61, [1, 2, 5, 10, 20, 50]), (1000, [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000])]
)
def test_ranks_that_differ_widely_have_a_logarithmic_axis(worst, ticks):
    axes = rank_intervals(intervals(3, worst), 4).axes[0]
    assert axes.get_xscale() == ("log" if ticks else "linear")
    if ticks:
        assert axes.get_xticks().tolist() == ticks
        assert [label.get_text() for label in axes.get_xticklabels()] == [f"{tick:,}" for tick in ticks]
    else:
        assert axes.get_xlim() == (0.3, 60.7)


def test_long_names_are_shortened():
    for name, said in (("A" * 36, "A" * 36), ("A" * 37, "A" * 35 + "…"), ("A" * 33 + " – BCD", "A" * 33 + "…")):
        axes = rank_intervals(intervals(2, 9).assign(label=name), 4).axes[0]
        assert axes.get_yticklabels()[0].get_text() == f"1  {said}"


def test_each_weighting_has_a_grid_and_the_first_one_the_baseline(monkeypatch):
    made = {}
    monkeypatch.setattr(pictures, "_save", lambda figure, _, name: made.update({name: figure}))
    given = {"radius_km": [5, 15], "density": [1, 20]}
    draw(sweep(address_table(), weighting=["raw", "total-preserving"], **given), None)
    assert list(made) == ["grid-raw", "grid-total-preserving", "ranks"]
    for name, marked in (("grid-raw", True), ("grid-total-preserving", False)):
        figure = made[name]
        assert [len(axes.lines) for axes in maps(figure)] == [2 * marked] * 3
        assert name.removeprefix("grid-") in figure.get_suptitle() and ("baseline" in figure.get_suptitle()) == marked
    assert made["ranks"].axes[0].get_title("left").endswith("in 8 settings")
