"""Reports on results with little or odd things in them, and folders that must not be replaced."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from program import tree
from reports import result

import gpu_clusters
from gpu_clusters import InputError, UsageError, report
from gpu_clusters.report import figures, html, maps, ranges, style, tables
from gpu_clusters.report.contents import of_result
from gpu_clusters.report.method import method

NEEDS = {"leaders": "patents", "shares": "patent_share"}
TABLE = pd.DataFrame({"doc_id": range(6), "lon": [2.35] * 3 + [12.5] * 3, "lat": [48.86] * 3 + [41.9] * 3})


@pytest.fixture(scope="module")
def contents():
    return of_result(result(), top=10)


@pytest.fixture
def home(tmp_path):
    """A folder with a result and a sweep that has no cluster at its baseline."""
    gpu_clusters.rank(TABLE, density=3).write(tmp_path / "result")
    gpu_clusters.sweep(TABLE, radius_km=15, density=[3, 50], baseline=(15, 50)).write(
        tmp_path / "sweep", pictures=False
    )
    return tmp_path


def test_what_a_report_is_made_from_stays(home, program):
    before = tree(home)
    (home / "link").symlink_to(home / "result")
    for out in ("result", "sweep", "result/../result", "link"):
        for given in ({"sweep": home / "sweep"}, {"sweep": home / "sweep", "previous": home / "result"}):
            with pytest.raises(UsageError, match="another folder"):
                report.write(home / "result", home / out, force=True, **given)
        contents = report.read(home / "result", sweep=home / "sweep", previous=home / "result")
        with pytest.raises(UsageError, match="another folder"):
            report.write(contents, home / out, force=True)
    (home / "link").unlink()
    assert tree(home) == before
    program.refused(2, "report", "result", "--out", "result", "--force", says="another folder")


def test_contents_are_not_read_again(home, contents):
    for given in ({"top": 3}, {"sweep": home / "sweep"}, {"previous": home / "result"}):
        with pytest.raises(UsageError, match="give these to report"):
            report.write(contents, home / "report", **given)
    assert not (home / "report").exists()


def test_regions_without_names(contents, tmp_path):
    for regions in ([(0, 0, 10, 10)], {1: (0, 0, 10, 10)}):
        with pytest.raises(UsageError, match="regions must be a mapping of names to west, south, east, north, not"):
            report.write(contents, tmp_path / "report", regions=regions)
    assert not list(tmp_path.iterdir())


def test_a_new_report_leaves_nothing_of_the_old_one(home):
    report.write(home / "result", home / "report", regions={"Italy": (6, 36, 19, 47)})
    assert (home / "report" / "map-italy.png").exists()
    (home / "report" / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match="force"):
        report.write(home / "result", home / "report", regions={})
    report.write(home / "result", home / "report", regions={}, force=True)
    there = {path.name for path in (home / "report").iterdir()}
    assert "map-world.png" in there and "notes.txt" in there and "map-italy.png" not in there


def test_a_sweep_without_clusters(home):
    contents = report.read(home / "result", sweep=home / "sweep")
    assert len(contents.stability) == 0 and "rank-ranges" not in figures.all_figures(contents)
    gpu_clusters.rank(TABLE, density=50).write(home / "none")
    report.write(home / "none", home / "report", sweep=home / "sweep", regions={})


@pytest.mark.parametrize("density", [3, 50], ids=["as before", "none"])
def test_an_edition_in_which_nothing_moves(tmp_path, density):
    gpu_clusters.rank(TABLE, density=density).write(tmp_path / "result")
    contents = report.read(tmp_path / "result", previous=tmp_path / "result")
    assert contents.has("previous_rank") == (density == 3)
    assert "movements" not in [table.key for table in tables.all_tables(contents)]


def test_the_folder_of_a_report_has_a_name(home, program, monkeypatch):
    for folder, given in (("result", "."), ("result", "../result/"), ("result", "../result/.")):
        monkeypatch.chdir(home / folder)
        assert program("report", given, "--region", "x=0,40,10,50").code == 0
        assert (home / "result-report" / "report.html").exists()
        assert not [path for path in (home / "result").iterdir() if "report" in path.name]
        for path in (home / "result-report").iterdir():
            path.unlink()


@pytest.mark.parametrize(
    ("window", "said"),
    [
        ((2010, 2013), "2010 to 2013"),
        ((None, 2013), "up to 2013"),
        ((2010, None), "from 2010 on"),
        ((None, None), "all"),
    ],
)
def test_years(window, said):
    found = gpu_clusters.rank(TABLE.assign(year=2012), density=3, years={"patents": window})
    assert f"Years: patents {said}." in method(of_result(found))


def test_titles_of_bands():
    assert [[title for title, _ in style.band_titles(top)] for top in (0, 1, 2, 10, 11, 30)] == [
        [],
        ["1"],
        ["1\N{EN DASH}2"],
        ["1\N{EN DASH}10"],
        ["1\N{EN DASH}10", "11"],
        ["1\N{EN DASH}10", "11\N{EN DASH}25", "26\N{EN DASH}30"],
    ]


def test_intensity_ranks_are_among_as_many_as_the_result_says(contents):
    for made_with, said in ((100, 12), (11, 11)):
        made = replace(contents, manifest={"settings": {"top": made_with}}, top=3)
        assert tables.intensity(made).notes[0].startswith(f"Of the first {said} clusters.")
        assert f"The first {said} clusters" in maps.world(made, "intensity_rank").texts[1].get_text()


def test_the_legend_tells_every_colour_of_the_map(contents):
    def legend(made, by="intensity_rank"):
        return [text.get_text() for text in maps.world(made, by).axes[0].get_legend().get_texts()]

    ranks = contents.ranking["intensity_rank"]
    made = replace(contents, ranking=contents.ranking.assign(intensity_rank=ranks.where(ranks != 12)), top=3)
    bands = ["1–10", "11–25", "26–50", "51–100"]
    assert legend(made) == ["1–10", "11", "Not in this ranking"]
    assert legend(made, "rank") == ["1–10", "11–12"]
    assert legend(replace(made, ranking=made.ranking.assign(intensity_rank=ranks + 90))) == [*bands, "Beyond 100"]
    assert html._beyond(made) == {"intensityRank": "without intensity rank"} and not html._beyond(contents)
    assert not html._beyond(replace(contents, ranking=pd.concat([contents.ranking] * 9)))  # many that share ranks


def test_indicators_that_nobody_has_are_left_out(contents):
    titles = [axes.get_title() or axes.get_title("left") for axes in figures.leaders(contents).axes]
    assert titles == ["Patents", "Publications", "Deals"]
    ranking = contents.ranking.assign(deals=0.0, deals_per_million=np.nan)
    some = replace(contents, ranking=ranking)
    for draw in (figures.leaders, figures.per_capita):
        titles = [axes.get_title() or axes.get_title("left") for axes in draw(some).axes]
        assert titles == ["Patents", "Publications"]

    def reach(made):
        """How far to the right its panels go, in parts of the figure."""
        return max(axes.get_position().x1 for axes in made.axes)

    assert reach(figures.leaders(some)) == pytest.approx(reach(figures.leaders(contents)), abs=0.02)
    legend = figures.shares(replace(contents, ranking=ranking.assign(deal_share=0.0))).axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["Patents", "Publications"]
    nothing = replace(contents, ranking=ranking.assign(patents=0.0, publications=0.0))
    assert "leaders" not in figures.all_figures(nothing)


def test_ranks_and_numbers_of_clusters_are_whole_on_their_axes(contents):
    stability = contents.ranking[["rank", "lon", "lat"]].assign(best_rank=1, median_rank=1.0, worst_rank=1, matched=1)
    few = replace(contents, stability=stability, ranking=contents.ranking.head(2).assign(economies="CN"))
    for draw, least in ((figures.rank_ranges, 1), (figures.clusters_by_economy, 0)):  # no rank is 0
        axes = draw(few).axes[0]
        ticks = [tick for tick in axes.get_xticks() if axes.get_xlim()[0] <= tick <= axes.get_xlim()[1]]
        assert ticks == np.rint(ticks).tolist() and min(ticks) == least


def test_the_map_of_the_world_has_every_longitude(contents):
    at = np.linspace(-179.99, 179.99, len(contents.ranking))
    figure = maps.world(replace(contents, ranking=contents.ranking.assign(lon=at, lat=0.0)))
    assert len(figure.axes[0].collections[-1].get_offsets()) == len(at)


def test_an_outline_across_the_date_line_is_drawn_in_one_piece(contents):
    for box, some in (((179, -18, -179, -16), True), ((20, -18, 21, -16), False)):
        axes = maps.region(contents, box, "Here").axes[0]
        across = [path.vertices[:, 0] for path in axes.collections[2].get_paths()]
        assert any(x.min() < -1e3 and x.max() > 1e3 for x in across) == some  # metres from the middle, the date line


@pytest.mark.parametrize("box", [(0, -60, 1, 60), (-76, -56, -66, -17), (0, 0, 180, 0.01), (0, 0, 0.001, 50)], ids=str)
def test_maps_of_thin_boxes_fit_a_page(contents, box, tmp_path):
    made = maps.region(contents, box, "Thin")
    width, height = made.get_size_inches()
    assert 6.4 <= width <= 10 and height < 11
    made.savefig(tmp_path / "thin.png")
    found = made.axes[0].get_window_extent()
    assert found.x0 >= 0 and found.x1 <= width * made.dpi
    for text in (*made.texts, *made.axes[0].get_legend().get_texts()):
        extent = text.get_window_extent()
        assert extent.x0 >= 0 and extent.x1 <= width * made.dpi, text


@pytest.mark.parametrize("more", [[], ["patents", "name"], ["patents", "patent_share"]])
def test_a_ranking_that_lacks_columns(home, more):
    path = home / "result" / "ranking.parquet"
    pd.read_parquet(path)[["cluster_id", "rank", "total_share", "lon", "lat", *more]].to_parquet(path)
    report.write(home / "result", home / "report", regions={})
    made = {path.stem for path in (home / "report").glob("figure-*.svg")}
    assert made == {f"figure-{name}" for name, column in NEEDS.items() if column in more}


@pytest.mark.parametrize(
    ("file", "change", "said"),
    [
        ("locations", {"cluster_id": 3}, "locations.parquet has clusters that ranking.parquet lacks"),
        ("ranking", {"cluster_id": 3}, "ranking.parquet has not the clusters 1, 2, 3"),
        ("ranking", {"rank": None}, "ranking.parquet has not the clusters 1, 2, 3"),
    ],
)
def test_files_that_are_not_of_one_result(home, program, file, change, said):
    path = home / "result" / f"{file}.parquet"
    pd.read_parquet(path).assign(**change).to_parquet(path)
    program.refused(3, "report", "result", "--out", "report", says=said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda ranking: ranking.sort_values("name"), "ranking of the result in memory has not the clusters 1, 2, 3"),
        (lambda ranking: ranking.head(3), "locations of the result in memory has clusters that ranking of the result"),
    ],
    ids=["sorted", "cut"],
)
def test_a_result_in_memory_with_another_ranking(change, said):
    """The first by rank were the first by name."""
    made = result()
    with pytest.raises(InputError, match=said):
        of_result(replace(made, ranking=change(made.ranking)))


@pytest.mark.parametrize(
    ("file", "column"),
    [("coverage.csv", "documents"), ("organizations.parquet", "count"), ("partners.parquet", "patents")],
)
def test_other_tables_that_lack_a_column(home, program, file, column):
    path = home / "result" / file
    if path.suffix == ".csv":
        pd.read_csv(path).drop(columns=column).to_csv(path, index=False)
    else:
        pd.read_parquet(path).drop(columns=column).to_parquet(path)
    program.refused(3, "report", "result", "--out", "report", says=f"{file} has no column '{column}': write it anew")


def test_folders_whose_names_are_not_in_utf8(home):
    contents = report.read(home / "result", sweep=home / "sweep")
    for name in ("result", "sweep"):
        (home / name).rename(home / f"{name}\udcff")
    again = report.read(home / "result\udcff", sweep=home / "sweep\udcff")
    for name in ("ranking", "coverage", "stability", "boundaries"):
        pd.testing.assert_frame_equal(getattr(again, name), getattr(contents, name))


def test_clusters_that_the_sweep_lacks_are_told(home, program):
    ran = program("report", "result", "--sweep", "sweep", "--out", "r")
    other, lacking = ran.err.splitlines()[:2]
    assert ran.code == 0 and other.startswith("warning: the sweep's baseline is 15 km and ")
    assert lacking.startswith("warning: the sweep tells nothing about ")
    warned = json.loads((home / "r" / "manifest.json").read_text())["warnings"]
    assert [f"warning: {text}" for text in warned] == ran.err.splitlines()[:-1] and len(warned) == 2
    contents = report.read(home / "result", sweep=home / "sweep")
    stability = contents.clusters.assign(best_rank=1.0, median_rank=1.0, worst_rank=1.0, matched=1)
    assert ranges.without_ranges(replace(contents, stability=stability)) == []
    count, first = len(stability), stability.iloc[0]
    (told,) = ranges.without_ranges(replace(contents, stability=stability.iloc[1:]))
    assert f"about 1 of {count} cluster" in told and f"(1 {first['label']}): " in told
    plain = program("report", "result", "--out", "plain").err
    assert plain == "report -> plain/report.html\n"


@pytest.mark.parametrize("lacking", [5, 6])
def test_of_many_clusters_that_the_sweep_lacks_the_first_five_are_named(contents, lacking):
    clusters = contents.clusters
    stability = clusters.iloc[lacking:].assign(best_rank=1.0, median_rank=1.0, worst_rank=1.0, matched=1)
    (told,) = ranges.without_ranges(replace(contents, stability=stability))
    first = ", ".join(f"{place} {label}" for place, label in enumerate(clusters["label"][:5], 1))
    more = ", ..." if lacking > 5 else ""
    assert f"about {lacking} of 12 clusters, whose ranks have no range ({first}{more}): no cluster" in told


@pytest.mark.parametrize(
    "record", [[1], {"settings": None}, {"settings": {"top": 5}}, {"grid": {"radii": [15]}}], ids=str
)
def test_manifests_that_are_none(home, program, record):
    for given in ((), ("--sweep", "sweep")):
        folder = given[-1] if given else "result"
        (home / folder / "manifest.json").write_text(json.dumps(record))
        program.refused(3, "report", "result", *given, "--out", "report", says=f"{folder}/manifest.json is not what")
        (home / folder / "manifest.json").unlink()


def test_the_first_clusters_are_no_more_than_said_where_ranks_are_shared(contents):
    tied = replace(contents, ranking=contents.ranking.assign(rank=[1, 1, *contents.ranking["rank"][2:]]))
    rows = tables.concentration(tied).frame.set_index("clusters")
    assert rows.loc["Top 1 by overall rank", "deal_share"] == contents.ranking["deal_share"][0]


def test_titles_name_the_indicators_that_are_there_and_count_one_cluster_as_one(contents):
    everything = figures.shares(contents)
    assert everything.texts[0].get_text() == "The first 10 clusters"
    assert "patents, publications and deals, in percent, and their sum" in " ".join(
        everything.texts[1].get_text().split()
    )
    one = of_result(gpu_clusters.rank(TABLE.iloc[:3], density=3))
    alone = figures.shares(one)
    assert alone.texts[0].get_text() == "The first cluster"
    assert alone.texts[1].get_text() == "Shares of the world's patents, in percent"
    assert (
        maps.world(one).texts[1].get_text() == "Clusters by their share of the world's patents; the number is the rank"
    )
    assert tables.top(one).title == "Top cluster" and tables.concentration(one).frame["clusters"].tolist() == [
        "The only cluster"
    ]
    assert html._facts(one)[0] == ("1", "cluster")
    none = of_result(gpu_clusters.rank(TABLE, density=30))
    assert "patents, publications and deals" in maps.world(none).texts[1].get_text()
    assert html._facts(none)[0] == ("0", "clusters")
