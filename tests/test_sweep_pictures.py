"""Pictures of sweeps with little in them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from program import address_table, tree

from gpu_clusters import sweep
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


def test_the_same_sweep_has_the_same_pictures(tmp_path):
    found = sweep(address_table(), radius_km=[5, 15], density=[1, 20])
    for name in "ab":
        (tmp_path / name).mkdir()
        draw(found, tmp_path / name)
    once = tree(tmp_path / "a")
    assert set(once) == {f"{name}.{ending}" for name in ("grid", "ranks") for ending in FORMATS}
    assert once == tree(tmp_path / "b")
