"""The page of a sweep in a browser, and the names of its clusters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from browser import chromium, opened
from reports import addresses

from gpu_clusters import rank, sweep
from gpu_clusters.sweeps.page import page_data, write_page

BAD = "<script>document.title='owned'</script>"


@pytest.fixture(scope="module")
def found():
    deals = addresses(3, 600).drop(columns="doc_id")
    tables = addresses(1, 3000), addresses(2, 3000), deals
    grid = {"radius_km": [5, 15], "density": [40, 80, 400], "baseline": (15, 80)}
    return tables, sweep(*tables, **grid)


@pytest.fixture(scope="module")
def path(found, tmp_path_factory) -> Path:
    """The page; the second cluster has a bad name."""
    result = found[1]
    labels = result.stability["label"].copy()
    result.stability.loc[1, "label"] = BAD
    target = tmp_path_factory.mktemp("sweep") / "sweep.html"
    write_page(result, target)
    result.stability["label"] = labels
    return target


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


def test_clusters_have_the_names_of_a_single_run(found):
    tables, result = found
    alone = rank(*tables, radius_km=15, density=80, merge_km=None).ranking
    assert result.stability["label"].tolist() == alone["name"].tolist()
    assert any(name.startswith("Boston") for name in result.stability["label"])


@pytest.mark.parametrize("screen", [(1280, "light"), (390, "dark")], ids=["wide", "phone"])
def test_page(browser, path, screen, found):
    result = found[1]
    with opened(browser, path, *screen) as page:
        assert page.title() == "Clusters by radius and density"
        names = page.locator("#rows td:nth-child(2)")
        assert names.nth(1).inner_text() == BAD and names.nth(0).inner_text() == result.stability["label"][0]
        assert names.count() == len(result.stability)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        before = page.locator("#facts").inner_text()
        assert f"{len(result.stability)} clusters" in before
        colours = "new Set(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data).size"
        assert page.evaluate(colours) > 20
        page.locator("#density").press("ArrowRight")
        after = page.locator("#facts").inner_text()
        assert before != after and page.locator("#densityOut").inner_text() == "400"
        page.locator("#home").click()
        assert page.locator("#facts").inner_text() == before


def test_back_to_the_baseline_with_several_weightings(browser, tmp_path):
    grid = {"radius_km": [5, 15], "density": [40, 80], "baseline": (15, 80), "weighting": "raw,total-preserving"}
    write_page(sweep(addresses(1, 3000), addresses(2, 3000), **grid), tmp_path / "sweep.html")
    with opened(browser, tmp_path / "sweep.html", 1280, "light") as page:
        before = page.locator("#facts").inner_text()
        page.locator("#weighting").select_option("1")
        page.locator("#home").click()
        assert page.locator("#weighting").input_value() == "0"
        assert page.locator("#facts").inner_text() == before


def test_all_clusters_of_the_baseline_that_are_shown_have_names(found):
    """Also one of a large number."""
    result = found[1]
    number = result.stability["cluster_id"] + 5000
    rows = result.clusters.assign(
        baseline_cluster_id=result.clusters["baseline_cluster_id"].where(
            lambda match: match < 0, lambda match: match + 5000
        )
    )
    many = pd.concat([result.stability] * 500 + [result.stability.assign(cluster_id=number)], ignore_index=True)
    known = page_data(replace(result, clusters=rows, stability=many))["baseline_clusters"]
    assert set(map(int, known)) == set(rows["baseline_cluster_id"]) - {-1}


def test_the_leading_clusters_have_names_on_the_map(browser, path):
    with opened(browser, path, 1280, "light") as page:
        assert page.evaluate("named.map((one) => one.number).slice(0, 10)") == list(range(10))


def test_paper_is_light_and_circles_stay_round(browser, path):
    with opened(browser, path, 1280, "dark") as page:
        screen = page.evaluate("colors.sea")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.evaluate("colors.sea") != screen
        page.evaluate("canvas.style.maxWidth = '500px'")  # paper is narrower, and no script runs while it is laid out
        shape = page.evaluate("[canvas.clientWidth / canvas.clientHeight, canvas.width / canvas.height]")
        assert shape[0] == pytest.approx(shape[1], rel=0.01)
        page.emulate_media(media="screen", color_scheme="dark")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.evaluate("colors.sea") == screen
