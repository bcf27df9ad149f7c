"""The page of a report in a browser, from the disk and without a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import shapely
from browser import chromium, opened
from reports import NAMES, result, sweep

import gpu_clusters
from gpu_clusters import report, texts
from gpu_clusters.report import html
from gpu_clusters.report.escape import one_line

SMALLEST_LETTERS = 8  # points, of the figures


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("page")
    found = result()
    report.write(found, home / "report", sweep=sweep(home / "sweep", found.ranking), top=10, regions={})
    return home / "report" / "report.html"


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["wide", "phone"])
def page(browser, path, request):
    with opened(browser, path, *request.param) as page:
        page.wait_for_function("window.report && document.querySelector('#chart canvas').width > 100")
        page.wait_for_timeout(150)
        yield page


def names(page) -> list[str]:
    return page.locator("#table tbody tr td:nth-child(2) button").all_inner_texts()


def at(page, cluster: int) -> tuple[float, float]:
    """Where a cluster is on the screen."""
    x, y = page.evaluate(f"report.screen({cluster})")
    box = page.locator("#chart").bounding_box()
    return box["x"] + 1 + x, box["y"] + 1 + y


def test_nothing_sticks_out_and_names_are_texts(page):
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.title() == "Innovation clusters"
    assert names(page) == [" ".join(one_line(name).split()) for name in NAMES]
    assert page.evaluate("document.documentElement.dataset.theme") in ("light", "dark")
    page.evaluate("document.querySelector('h1').textContent = 'x'.repeat(200)")  # a title without a blank
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_sorting(page):
    assert page.locator("#table th[aria-sort]").get_attribute("data-key") == "rank"
    for key, text in (("share", False), ("deals", False), ("name", True), ("change", False)):
        head = page.locator(f'#table th[data-key="{key}"]')
        narrow = page.viewport_size["width"] < 500
        if narrow:
            page.locator("#sort").select_option(key)
        else:
            head.locator("button").click()
        values = page.evaluate(
            f'JSON.parse(document.getElementById("data").textContent).clusters.map((c) => [c.{key}, c.name])'
        )
        shown = names(page)
        there = [(value, name) for value, name in values if value is not None]
        first = " ".join(one_line((min if text else max)(there)[1]).split()) if not text else None
        assert head.get_attribute("aria-sort") == ("ascending" if text else "descending")
        assert first is None or shown[0] == first
        head.locator("button").press("Enter")
        again = names(page)
        assert again[: len(there)] != shown[: len(there)] and again[len(there) :] == shown[len(there) :]


def test_searching(page):
    box = page.locator("#search")
    none = page.locator("#none")
    for words, expected in (("sao PAULO", 1), ("malmo", 1), ("香港", 1), ("<script>", 12), ("brazil", 1), ("zzz", 0)):
        box.fill(words)
        assert len(names(page)) == expected, words
        assert page.locator("#found").inner_text() == ("1 cluster" if expected == 1 else f"{expected} clusters")
        assert none.is_visible() == (expected == 0)
    box.fill("")
    assert len(names(page)) == 12


def test_hover_click_and_keys(page):
    phone = page.viewport_size["width"] < 500
    x, y = at(page, 1)
    page.mouse.move(x, y)
    tip = page.locator("#tip")
    assert tip.is_visible() and "São Paulo" in tip.inner_text() and "Brazil" in tip.inner_text()
    page.mouse.move(x, y + 60)
    assert not tip.is_visible()
    (page.touchscreen.tap if phone else page.mouse.click)(x, y)
    brief = page.locator("#brief")
    assert brief.is_visible() and brief.locator("h2").inner_text().endswith("São Paulo")
    text = brief.inner_text()
    for said in (
        "Top applicants",
        "Top organizations",
        "Works with",
        "Best 1, median 1.5, worst 5",
        "Previous rank 2 (+1)",
        "intensity 37 (rank 1)",
        "Per million",
    ):
        assert said in text, said
    assert "</script><script>boom()</script>" in text
    assert page.url.endswith("#cluster-1")
    brief.locator("ol button").first.click()
    assert not page.url.endswith("#cluster-1")
    page.keyboard.press("Escape")
    assert not brief.is_visible()
    page.locator("#chart").focus()
    for key in ("ArrowLeft", "ArrowUp", "+", "+", "-", "0", "Enter"):
        page.keyboard.press(key)
    assert brief.is_visible()
    page.keyboard.press("Escape")
    page.locator("#table tbody button").nth(3).press("Enter")
    assert brief.is_visible()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == one_line(NAMES[3])


def test_zoom_shows_outlines_that_can_be_clicked(page):
    before = page.evaluate("report.screen(2)")
    for _ in range(14):
        page.evaluate("report.open(2)")  # keeps it on the screen
        page.keyboard.press("Escape")
        page.locator('[data-zoom="in"]').click()
    page.evaluate("report.open(2)")
    page.keyboard.press("Escape")
    page.wait_for_timeout(150)
    assert page.evaluate("report.screen(2)") != before
    x, y = at(page, 2)
    page.mouse.move(x + 12, y)
    assert "Göteborg" in page.locator("#tip").inner_text()
    page.locator('[data-zoom="world"]').click()
    assert page.evaluate("report.screen(2)") == before


def test_outlines_are_hit_far_from_their_middle(browser, contents, tmp_path):
    shapes = contents.boundaries.geometry.where(contents.boundaries["cluster_id"] != 2, shapely.box(60, 35, 110, 55))
    path = tmp_path / "page.html"
    wide = replace(contents, boundaries=contents.boundaries.set_geometry(shapes))
    path.write_text(html.page(wide, [], {}, "Regions"), encoding="utf-8")
    with opened(browser, path, 1280, "light") as page:
        for _ in range(2):
            page.locator('[data-zoom="in"]').click()
            page.evaluate("report.open(2)")
            page.keyboard.press("Escape")
        x, y = at(page, 2)
        page.mouse.move(x - 130, y)  # 12 degrees
        assert "Göteborg" in page.locator("#tip").inner_text()
        page.mouse.move(x - 320, y)  # 30 degrees, outside
        assert not page.locator("#tip").is_visible()


def test_numbers_have_the_digits_of_the_tables(browser, contents, tmp_path):
    odd = [36451952.4, 0.95, 16.15, 24.125, 99.95, 100.5, 101.5, 1.05, 3.45, 0.25, 8.825, 152.5]
    numbers = ("patents", "patent_share", "patents_per_million", "population", "intensity")
    ranges = contents.stability.assign(median_rank=150.5)
    some = replace(contents, ranking=contents.ranking.assign(**dict.fromkeys(numbers, odd)), stability=ranges)
    path = tmp_path / "page.html"
    path.write_text(html.page(some, [], {}, "Odd numbers"), encoding="utf-8")
    with opened(browser, path, 1280, "light") as page:
        for cluster, value in enumerate(odd, start=1):
            page.evaluate(f"report.open({cluster})")
            _, count, share, _, per_million = page.locator("#brief tbody tr").first.inner_text().split("\t")
            assert (count, share, per_million) == (texts.count(value), texts.share(value), texts.count(value))
            said = f"Population {texts.whole(value)}; intensity {texts.intensity(value)} (rank"
            assert said in page.locator("#brief").inner_text()
        page.evaluate("report.open(1)")
        assert "median 150.5," in page.locator("#brief").inner_text()


def test_theme_and_link(page, path):
    before = page.evaluate("[document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]")
    page.locator("#theme").click()
    after = page.evaluate("[document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]")
    assert before[0] != after[0] and before[1] != after[1]
    page.goto(path.as_uri() + "#cluster-8")
    page.reload()
    page.wait_for_function("document.querySelector('#brief').open")
    assert "深圳" in page.locator("#brief h2").inner_text()


def test_colours_by_intensity(page):
    page.locator("#by").select_option("intensityRank")
    page.locator("#tables summary").first.click()
    assert page.locator("#tables table").first.is_visible()
    assert page.locator("figure svg:visible").count() == 5


def test_a_page_says_nothing_of_columns_that_are_missing(browser, tmp_path):
    table = pd.DataFrame({"doc_id": range(6), "lon": [2.35] * 3 + [12.5] * 3, "lat": [48.86] * 3 + [41.9] * 3})
    gpu_clusters.rank(table, density=3).write(tmp_path / "result")
    ranking = pd.read_parquet(tmp_path / "result" / "ranking.parquet")
    ranking.loc[1, "total_share"] = 0.0
    kept = ["cluster_id", "rank", "total_share", "lon", "lat", "locations"]
    for columns, bars in ((ranking.columns.tolist(), 1), (kept, 0)):
        ranking[columns].to_parquet(tmp_path / "result" / "ranking.parquet")
        report.write(tmp_path / "result", tmp_path / "report", regions={}, force=True)
        with opened(browser, tmp_path / "report" / "report.html", 1280, "light") as page:
            page.wait_for_function("window.report && document.querySelector('#chart canvas').width > 100")
            assert page.locator("#table .share").count() == bars
            page.mouse.move(*at(page, 1))
            tip = page.locator("#tip").inner_text()
            page.locator("#table tbody button").first.click()
            brief = page.locator("#brief").inner_text()
            facts = page.locator(".facts").inner_text()
        for said, where in (
            ("Rank without deals 1", brief),
            (" of them core", brief),
            ("Patents 50.00", tip),
            ("6 patents", facts),
        ):
            assert (said in where) == bool(bars), said
        assert "1 location" in brief and "1 locations" not in brief and "Total share 50.00 %" in tip


def test_nothing_scrolls_sideways_and_letters_are_legible(page):
    for summary in page.locator("summary").all():
        summary.click()
    wide = """() => [...document.querySelectorAll(".scroll, table, figure, details, section")]
        .filter((part) => part.scrollWidth > part.clientWidth + 1 || part.getBoundingClientRect().right > innerWidth)
        .map((part) => part.outerHTML.slice(0, 80))"""
    assert page.evaluate(wide) == []
    scales = page.locator("figure svg:visible").evaluate_all(
        "all => all.map((svg) => svg.getBoundingClientRect().width / svg.viewBox.baseVal.width)"
    )
    assert len(scales) == 5 and min(scales) * SMALLEST_LETTERS >= 10
    small = """() => [...document.querySelectorAll("body *")].filter((part) => part.checkVisibility() && [...part.childNodes]
        .some((child) => child.nodeType === 3 && child.textContent.trim()) && parseFloat(getComputedStyle(part).fontSize) < 10)
        .map((part) => part.outerHTML.slice(0, 80))"""
    assert page.evaluate(small) == []


def test_paper_is_light_and_has_no_closed_tables(browser, path):
    with opened(browser, path, 1280, "dark") as page:
        page.wait_for_function("window.report && document.querySelector('#chart canvas').width > 100")
        page.locator("#tables summary").first.click()
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print", color_scheme="dark")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        assert page.locator("#tables details:visible").count() == 1 and page.locator("#tables h2").is_visible()
        page.evaluate("document.querySelector('#chart').style.maxWidth = '500px'")  # paper is narrower than the screen
        shape = "(one) => [one.clientWidth / one.clientHeight, one.width / one.height]"
        shown, drawn = page.locator("#chart canvas").evaluate(shape)
        assert shown == pytest.approx(drawn, rel=0.01)
        page.evaluate("document.querySelector('details[open]').open = false")
        assert not page.locator("#tables h2").is_visible()
        page.emulate_media(media="screen", color_scheme="dark")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"


def test_without_scripts_the_page_says_what_is_missing(browser, path):
    context = browser.new_context(java_script_enabled=False, offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.locator("noscript p").is_visible()
    assert [page.locator(part).is_visible() for part in ("#map", "#ranking", "#figures", "#method")] == [
        False,
        False,
        True,
        True,
    ]
    context.close()


def test_names_of_clusters_are_not_broken_within_words(browser, path):
    with opened(browser, path, 768, "light") as page:
        page.wait_for_function("window.report")
        assert page.locator("#table td:nth-child(2)").first.evaluate("cell => cell.clientWidth") >= 150
