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


def test_numbers_are_rounded_once(browser, path, found):
    result = found[1]
    robustness = result.stability.set_index("cluster_id")["robustness"]
    with opened(browser, path, 1280, "light") as page:
        for radius, density in result.settings[["radius_km", "density"]].itertuples(index=False):
            places = [
                result.manifest["grid"][axis].index(at) for axis, at in (("radii", radius), ("densities", density))
            ]
            page.evaluate("([r, d]) => { by('radius').value = r; by('density').value = d; show(); }", places)
            one = result.settings.query("radius_km == @radius and density == @density").iloc[0]
            clusters = result.clusters.query("radius_km == @radius and density == @density")
            said = page.locator("#facts").inner_text()
            for name in ("patent", "publication", "deal"):
                assert f"{one[f'{name}_share']:.1f} % of {name}s" in said
            assert f"Rand index {one.adjusted_rand:.3f};" in said and f"tau-b {one.kendall_tau:.3f}" in said
            assert page.locator("#rows td:nth-child(3)").all_inner_texts() == [
                f"{share:.3f}" for share in clusters["total_share"]
            ]
            assert page.locator("#rows td:nth-child(6)").all_inner_texts() == [
                f"{robustness[base]:.2f}" if base > 0 else "" for base in clusters["baseline_cluster_id"]
            ]


def test_a_page_that_is_hidden_and_shown_again_has_its_map(browser, path):
    with opened(browser, path, 1280, "light") as page:
        before = page.evaluate("canvas.toDataURL()")
        for hidden in ("true", "false"):
            page.evaluate(f"document.body.hidden = {hidden}")
            page.wait_for_timeout(100)
        assert page.evaluate("canvas.toDataURL()") == before


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


def test_what_is_not_there_is_not_shown(browser, tmp_path):
    """No shares of tables that are absent, no slider with one place, no button back to what is not on the grid."""
    write_page(
        sweep(addresses(1, 3000), radius_km=15, density=[80, 1000, 40.125], baseline=(12, 80)), tmp_path / "sweep.html"
    )
    with opened(browser, tmp_path / "sweep.html", 1280, "light") as page:
        facts = page.locator("#facts").inner_text()
        assert "% of patents" in facts and "publications" not in facts and "deals" not in facts
        assert page.locator("#radius").is_disabled() and not page.locator("#density").is_disabled()
        assert page.locator("#home").inner_text() == "To the setting nearest to the baseline"
        assert not page.locator("#none").is_visible()
        page.locator("#density").press("Home")
        assert page.locator("#densityOut").inner_text() == "40.125"
        assert page.locator("#density").get_attribute("aria-valuetext") == "40.125"
        assert page.locator("#radius").get_attribute("aria-valuetext") == "15 km"
        page.locator("#density").press("End")
        assert page.locator("#facts").inner_text().startswith("0 clusters") and page.locator("#none").is_visible()


def test_the_page_says_that_it_shows_the_first_clusters(browser, path, found, tmp_path):
    with opened(browser, path, 1280, "light") as page:
        assert page.locator("#shown").inner_text() == ""
    result = found[1]
    many = result.settings.assign(clusters=120)
    rows = pd.concat([result.clusters.head(1)] * (120 * len(many)), ignore_index=True)
    write_page(replace(result, settings=many, clusters=rows), tmp_path / "sweep.html")
    with opened(browser, tmp_path / "sweep.html", 1280, "light") as page:
        assert "first 50 clusters, the map shows the first 100" in page.locator("#shown").inner_text()
        assert page.locator("#rows tr").count() == 50


def test_without_scripts_the_page_says_what_is_missing(browser, path):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator("noscript p").is_visible() and not page.locator("canvas, table, #home").first.is_visible()
    context.close()
