"""Reports: tables in every format, figures, maps, labels; from a result and from its files."""

from __future__ import annotations

import csv
import importlib.util
import io
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import numpy as np
import openpyxl
import pandas as pd
import pytest
from program import Program, tree
from reports import NAMES, ORGANIZATIONS, result, sweep

from gpu_clusters import DeviceError, InputError, UsageError, report
from gpu_clusters.io import land
from gpu_clusters.report import economies, escape, figures, files, labels, maps, numbers, payload, style, tables
from gpu_clusters.report.contents import of_result, read
from gpu_clusters.report.dots import count_by_pixel


@pytest.fixture(scope="module")
def found():
    return result()


@pytest.fixture(scope="module")
def contents(found, tmp_path_factory):
    return of_result(found, sweep=sweep(tmp_path_factory.mktemp("sweep") / "s", found.ranking), top=10)


@pytest.fixture(scope="module")
def written(found, tmp_path_factory):
    """The result's folder, and the report on it."""
    home = tmp_path_factory.mktemp("report")
    found.write(home / "result")
    boxes = {"Europe": maps.REGIONS["Europe"], "Pacific & more": (160.0, -40.0, -160.0, 0.0)}
    report.write(home / "result", home / "report", sweep=sweep(home / "sweep", found.ranking), top=10, regions=boxes)
    return home


def test_what_is_written(written):
    there = {path.name for path in (written / "report").iterdir()}
    keys = {"top", "beyond", "by-economy", "economies", "intensity", "top-by-indicator", "concentration", "regions"}
    keys |= {"income-groups", "movements", "stability", "coverage"}
    pictures = [f"figure-{name}" for name in ("shares", "leaders", "economies", "per-capita", "rank-ranges")]
    pictures += [f"map-{name}{by}" for name in ("world", "europe", "pacific-more") for by in ("", "-intensity")]
    assert there == {f"{key}.{kind}" for key in keys for kind in ("csv", "md", "tex")} | {
        *(f"{name}.{kind}" for name in pictures for kind in ("svg", "png")),
        *("tables.tex", "tables.xlsx", "report.html", "manifest.json"),
    }
    for path in (written / "report").glob("*.svg"):
        root = ElementTree.parse(path).getroot()
        assert root.tag.endswith("svg") and "script" not in {node.tag.rpartition("}")[2] for node in root.iter()}


def test_the_files_say_what_the_result_says(found, contents, written):
    again = read(written / "result", sweep=written / "sweep", top=10)
    pd.testing.assert_frame_equal(again.clusters, contents.clusters)
    ours = {table.key: files.as_csv(table) for table in tables.all_tables(contents)}
    assert {table.key: files.as_csv(table) for table in tables.all_tables(again)} == ours
    assert again.boundaries is not None and len(again.boundaries) == len(found.ranking)


def test_same_result_same_bytes(found, tmp_path):
    for name in ("one", "two"):
        report.write(found, tmp_path / name, regions={})
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two")
    differing = {name for name in one if one[name] != two[name]}
    assert one.keys() == two.keys() and differing <= {"tables.xlsx", "manifest.json"}  # zip has a clock


def test_numbers_of_the_tables(found, contents):
    ranking = found.ranking
    made = {table.key: table.frame for table in tables.all_tables(contents)}
    assert made["top"]["label"].tolist() == list(NAMES[:10]) and made["beyond"]["label"].tolist() == list(NAMES[10:])
    assert made["economies"][["economy", "leading", "clusters"]].values.tolist()[:2] in (
        [["China", 2, 2], ["United States", 2, 2]],
        [["United States", 2, 2], ["China", 2, 2]],
    )
    assert made["economies"]["clusters"].sum() == 12 and made["by-economy"]["economy"].is_unique
    for key in ("regions", "income-groups"):
        assert made[key]["clusters"].sum() == 12
        assert made[key]["total_share"].sum() == pytest.approx(ranking["total_share"].sum())
    whole = made["concentration"].set_index("clusters")
    assert whole.loc["Top 10 by overall rank", "deal_share"] == pytest.approx(ranking["deal_share"][:10].sum())
    assert whole.loc["Top 10 by each indicator", "deal_share"] == pytest.approx(
        ranking["deal_share"].sort_values(ascending=False)[:10].sum()
    )
    assert whole.loc["All 12 clusters", "patent_share"] == pytest.approx(ranking["patent_share"].sum())
    moved = made["movements"]
    assert moved[moved["movement"] == "Entrant"]["rank"].tolist() == [7]
    assert moved[moved["movement"] == "Leaver"]["rank"].tolist() == []
    changes = sorted(ranking["rank_change"][:10].dropna())
    assert moved[moved["movement"] == "Rise"]["rank_change"].tolist() == [c for c in changes[::-1] if c > 0]
    assert moved[moved["movement"] == "Fall"]["rank_change"].tolist() == [c for c in changes if c < 0]
    first = made["top-by-indicator"].query("indicator == 'Deals'")
    assert first["count"].tolist() == ranking["deals"].sort_values(ascending=False)[:10].tolist()
    assert made["intensity"]["intensity_rank"].tolist() == sorted(ranking["intensity_rank"])


def test_a_cluster_of_several_economies_counts_in_each(contents):
    clusters = contents.ranking.assign(economies=["CN / HK", *contents.ranking["economies"][1:]])
    changed = replace(contents, ranking=clusters)
    table = tables.by_economy(changed).frame.set_index("economy")
    assert table.loc["Hong Kong", "rank"] == 1 and table.loc["China", "rank"] == 1
    assert tables.regions(changed).frame["clusters"].sum() == 12


def test_economies():
    assert economies.economy("KR") == ("KR", "Republic of Korea", "East Asia & Pacific", "High income")
    assert economies.economy("NA").name == "Namibia" and economies.economy("IN").income == "Lower middle income"
    assert economies.economy("ZZ") == ("ZZ", "ZZ", "Not classified", "Not classified")
    assert economies.names("CN / HK") == "China, Hong Kong" and economies.codes(None) == []


def test_texts_of_numbers():
    assert [numbers.count(v) for v in (0, 12.345, 100.4, 1234567.0, float("nan"), pd.NA)] == [
        "0",
        "12.3",
        "100",
        "1,234,567",
        "",
        "",
    ]
    assert [numbers.count(v) for v in (99.96, 11.98, 0.04)] == ["100", "12", "0"]  # as the page has them
    assert [numbers.change(v) for v in (3, -2, 0, pd.NA)] == ["+3", "\N{MINUS SIGN}2", "0", ""]


def shown_name(name):
    return escape.one_line(name)


def test_csv(contents):
    rows = list(csv.DictReader(io.StringIO(files.as_csv(tables.top(contents)))))
    assert [row["label"].removeprefix("'") for row in rows] == [shown_name(name) for name in NAMES[:10]]
    assert rows[5]["label"].startswith("'=")
    assert [float(row["total_share"]) for row in rows] == contents.ranking["total_share"][:10].tolist()


def test_markdown(contents):
    text = files.as_markdown(tables.top(contents), ["a < b"])
    assert "<" not in text and "São Paulo" in text and "深圳" in text
    cells = [line for line in text.splitlines() if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in cells} == {len(tables.top(contents).columns) + 1}


def test_workbook(written):
    book = openpyxl.load_workbook(written / "report" / "tables.xlsx")
    assert book.sheetnames[0] == "Top 10 clusters" and book.sheetnames[-1] == "Method" and len(book.sheetnames) == 13
    sheet = book["Top 10 clusters"]
    head = [cell.value for cell in sheet[3]]
    assert head[:3] == ["Rank", "Cluster", "Economies"]
    assert [row[1].value for row in sheet.iter_rows(4, 13)] == [shown_name(name) for name in NAMES[:10]]
    assert all(row[1].data_type == "s" for row in sheet.iter_rows(4, 13))
    assert all(isinstance(row[3].value, (int, float)) for row in sheet.iter_rows(4, 13))


def test_latex_of_names():
    assert escape.latex("São Ürümqi Łódź & 5_%") == r"S\~{a}o \"{U}r\"{u}mqi \L{}\'{o}d\'{z} \& 5\_\%"
    assert escape.latex("Malmö–Đà Nẵng") == r"Malm\"{o}\textendash{}\DJ{}\`{a} N\~{\u{a}}ng"
    assert escape.latex("a\\b") == r"a\textbackslash{}b" and escape.latex("i\u0301") == r"\'{\i}"
    assert escape.beyond_latex(escape.latex("深Пa")) == ["П", "深"]


def test_latex_compiles(written, tmp_path):
    if shutil.which("pdflatex") is None:
        pytest.skip("pdflatex is not installed")
    shutil.copytree(
        written / "report", tmp_path / "tex", ignore=lambda _, names: {n for n in names if not n.endswith(".tex")}
    )
    line = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "tables.tex"]
    done = subprocess.run(
        line, cwd=tmp_path / "tex", capture_output=True, text=True, errors="replace", timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:]
    assert (tmp_path / "tex" / "tables.pdf").stat().st_size > 20_000
    wide = [float(size) for size in re.findall(r"Overfull \\hbox \((\d+\.\d+)pt", done.stdout)]
    assert max(wide, default=0) < 30, wide


def test_figures_have_what_they_show(contents):
    made = {name: draw(contents) for name, draw in figures.all_figures(contents).items()}
    assert set(made) == {"shares", "leaders", "economies", "per-capita", "rank-ranges"}
    texts = {text.get_text() for ax in made["shares"].axes for text in [*ax.get_yticklabels(), *ax.texts]}
    assert "São Paulo  1" in texts and f"  {contents.ranking['total_share'][0]:.2f}" in texts
    bars = made["shares"].axes[0].patches
    assert sum(bar.get_width() for bar in bars) == pytest.approx(contents.ranking["total_share"][:10].sum())
    for figure in made.values():
        inside_and_apart(figure)


@pytest.mark.parametrize("width", [figures.NARROW, 5.0, 12.0])
def test_figures_of_any_width(contents, width):
    for name, draw in figures.all_figures(contents).items():
        figure = draw(contents, width=width)
        assert figure.get_figwidth() == width, name
        inside_and_apart(figure)
        sizes = [text.get_fontsize() for ax in figure.axes for text in ax.texts] + [
            t.get_fontsize() for t in figure.texts
        ]
        assert min(sizes) >= 8, name


def test_numbers_stay_on_their_side_of_names_from_right_to_left(contents):
    assert style.in_line("Cairo 7") == "Cairo 7"
    for name in ("القاهرة", "Haifa חיפה", "שבע…"):
        marked = f"\N{LEFT-TO-RIGHT MARK}{name}\N{RIGHT-TO-LEFT MARK}\N{LEFT-TO-RIGHT MARK}"
        assert style.in_line(name) == marked
        made = replace(contents, ranking=contents.ranking.assign(name=name))
        wide, narrow = figures.shares(made), figures.shares(made, width=figures.NARROW)
        assert f"{marked}  1" in [label.get_text() for label in wide.axes[0].get_yticklabels()]
        assert f"1  {marked}" in [text.get_text() for text in narrow.axes[0].texts]
        assert f"{marked} (1)" in [text.get_text() for text in figures.leaders(made).axes[0].texts]
        assert f"1  {marked}" in [text.get_text() for text in maps.world(made).axes[0].texts]


@pytest.mark.parametrize("title", ["W" * 60, "大灣區" * 20, "Wide " * 12], ids=["W", "Chinese", "words"])
def test_titles_of_maps_are_not_cut(contents, title):
    made = maps.region(contents, (100, 18, 103, 22), title)  # as narrow as a map may be
    inside_and_apart(made)
    assert "".join(made.texts[0].get_text().split()) == "".join(title.split())


def test_maps_name_clusters_without_collisions(contents):
    named = inside_and_apart(maps.world(contents))
    assert [name.split("  ")[1] for name in named][:4] == [style.shortened(name, 34) for name in NAMES[:4]]
    assert len(inside_and_apart(maps.region(contents, maps.REGIONS["Europe"], "Europe", "intensity_rank"))) >= 3


def inside_and_apart(figure):
    """Assert that no text is cut and none overlaps another; the texts of the axes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    with style.look():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        drawn = [
            text for ax in figure.axes for text in [*ax.texts, *(ax.get_yticklabels() if ax.axison else ()), ax.title]
        ] + figure.texts
        drawn = [text for text in drawn if text.get_text() and text.get_visible()]
        boxes = [text.get_window_extent(renderer) for text in drawn]
    width, height = figure.bbox.width, figure.bbox.height
    for text, box in zip(drawn, boxes, strict=True):
        assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1, text.get_text()
    for i, one in enumerate(boxes):
        for j in range(i):
            other = boxes[j]
            apart = one.x0 >= other.x1 - 1 or other.x0 >= one.x1 - 1 or one.y0 >= other.y1 - 3 or other.y0 >= one.y1 - 3
            assert apart, (drawn[i].get_text(), drawn[j].get_text())
    return [text.get_text() for ax in figure.axes for text in ax.texts]


def test_labels_keep_apart():
    rng = np.random.default_rng(0)
    points, radii = rng.uniform(0, 400, (150, 2)), rng.uniform(1, 9, 150)
    sizes = [(rng.uniform(20, 90), 9.0) for _ in range(120)]
    placed = labels.place_labels(points, radii, sizes, (0, 0, 400, 400))
    assert 10 < len(placed) < 120 and placed[0].point < 5
    boxes = [(p.left, p.bottom, p.left + sizes[p.point][0], p.bottom + 9.0) for p in placed]
    for i, (left, bottom, right, top) in enumerate(boxes):
        assert left >= 0 and bottom >= 0 and right <= 400 and top <= 400
        for other in boxes[:i]:
            assert left >= other[2] or other[0] >= right or bottom >= other[3] or other[1] >= top
        for (x, y), radius in zip(points, radii, strict=True):
            assert x + radius <= left or x - radius >= right or y + radius <= bottom or y - radius >= top
    for p, box in zip(placed, boxes, strict=True):
        if p.leader is None:
            gap = np.hypot(max(box[0] - points[p.point][0], points[p.point][0] - box[2], 0), 0)
            assert gap < radii[p.point] + 7


def test_the_first_labels_find_a_way():
    """In a ring of symbols that no line can leave, only the first labels are placed, their lines across the ring."""
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ring = 100 + 30 * np.column_stack((np.cos(angle), np.sin(angle)))
    points, radii = np.vstack(([[100.0, 100.0]], ring)), [2.0] * 61
    for insist, expected in ((0, []), (1, [0])):
        placed = labels.place_labels(points, radii, [(70.0, 9.0)], (0, 0, 200, 200), insist=insist)
        assert [label.point for label in placed] == expected
    left, bottom = placed[0].left, placed[0].bottom
    for x, y in points:
        assert x + 2 <= left or x - 2 >= left + 70 or y + 2 <= bottom or y - 2 >= bottom + 9


def test_pixels_count_every_point():
    rng = np.random.default_rng(1)
    x, y = rng.uniform(0, 4, 5000), rng.uniform(0, 3, 5000)
    counts = count_by_pixel(x, y, (0.0, 4.0, 0.0, 3.0), 40, 30)
    expected, _, _ = np.histogram2d(y, x, bins=(30, 40), range=((0, 3), (0, 4)))
    assert counts.shape == (30, 40) and counts.sum() == 5000
    np.testing.assert_array_equal(counts, expected)


def test_points_are_counted_by_the_library_of_the_device(contents, monkeypatch):
    """On a GPU the points go to cuDF, here an object in its place; without it nothing else is taken."""
    made = []

    class Frames:
        @staticmethod
        def DataFrame(columns):  # noqa: N802
            made.append(len(columns["x"]))
            return pd.DataFrame(columns)

    monkeypatch.setitem(sys.modules, "cudf", None)
    with pytest.raises(DeviceError, match="cuDF"):
        count_by_pixel(np.zeros(3), np.zeros(3), (-1.0, 1.0, -1.0, 1.0), 4, 4, "gpu")
    with pytest.raises(UsageError, match="device"):
        count_by_pixel(np.zeros(3), np.zeros(3), (-1.0, 1.0, -1.0, 1.0), 4, 4, "tpu")
    monkeypatch.setitem(sys.modules, "cudf", Frames)
    assert count_by_pixel(np.zeros(3), np.zeros(3), (-1.0, 1.0, -1.0, 1.0), 4, 4, "gpu").sum() == 3 and made == [3]
    maps.world(replace(contents, device="gpu"))
    assert 2000 < made[1] <= (contents.locations["cluster_id"] < 0).sum()


def test_a_map_of_all_locations(contents):
    """A million locations outside of clusters: grey is each pixel that has one, and no other."""
    from matplotlib.colors import to_rgb
    from pyproj import Transformer

    rng = np.random.default_rng(3)
    lon, lat = rng.uniform(-30, 30, 1_000_000), rng.uniform(-20, 20, 1_000_000)
    places = pd.DataFrame({"lon": lon, "lat": lat, "cluster_id": -1})
    figure = maps.region(replace(contents, locations=places), (-40.0, -30.0, 40.0, 30.0), "Box")
    picture, ax = np.asarray(figure.axes[0].images[0].get_array()), figure.axes[0]
    grey = picture[..., 3] > 0
    x, y = Transformer.from_crs(4326, "+proj=laea +lon_0=0 +lat_0=0 +R=6371008.8", always_xy=True).transform(lon, lat)
    number, _, _ = np.histogram2d(y, x, bins=grey.shape, range=(ax.get_ylim(), ax.get_xlim()))
    assert 0.2 < grey.mean() < 0.6 and (grey != (number > 0)).mean() < 1e-5
    assert (picture[grey][:, :3] == np.rint(255 * np.array(to_rgb(style.NOISE)))).all()


def test_land_is_where_land_is():
    import shapely

    rings = shapely.polygons(land.land().land[:1])
    assert len(rings) == 1
    shapes = shapely.union_all([shapely.make_valid(shapely.Polygon(ring)) for ring in land.land().land])
    inside = shapely.contains_xy(shapes, [2.35, -100.0, 139.0, 178.0, 25.0], [47.0, 40.0, 36.0, -17.8, -29.0])
    outside = shapely.contains_xy(shapes, [-40.0, -150.0, 80.0, 179.0], [30.0, 10.0, -20.0, 30.0])
    assert inside.all() and not outside.any()
    for ring in land.land().land:
        assert np.abs(ring[:, 0]).max() <= 180 and np.abs(np.diff(ring[:, 0])).max() < 180
    assert any(np.ptp(ring[:, 0]) < 90 for ring in land.within(maps.REGIONS["India"]).land)


@pytest.mark.parametrize("box", [(0, 0, 0, 10), (0, 10, 10, 0), (-170, -10, 60, 10), (0, 0, 10), (0, 0, 10, 91), "abc"])
def test_boxes_that_are_none(contents, box):
    with pytest.raises(UsageError):
        maps.region(contents, box, "x")


def test_payload_is_small_harmless_and_whole(contents):
    text = payload.payload(contents)
    assert not re.search("[<>&\u2028\u2029]", text)
    value = json.loads(text)
    assert [cluster["name"] for cluster in value["clusters"]] == [shown_name(name) for name in NAMES]
    assert value["ranges"]["1"] == [1, 1.5, 5, 20] and set(value["outlines"]) == {str(i) for i in range(1, 13)}
    assert value["organizations"]["1"]["patents"][0][0] in {shown_name(name) for name in ORGANIZATIONS}
    pairs = contents.partners
    for cluster, partners in value["partners"].items():
        both = pairs[(pairs["cluster_id"] == int(cluster)) | (pairs["partner_id"] == int(cluster))]
        assert len(partners) == min(8, len(both))
    noise = (contents.locations["cluster_id"] < 0).sum()
    assert value["noise"]["count"] == noise and value["members"]["count"] == len(contents.locations) - noise


def test_dots_are_brought_together():
    import base64

    rng = np.random.default_rng(2)
    places = pd.DataFrame(
        {
            "lon": rng.uniform(-180, 180, 20000),
            "lat": rng.uniform(-90, 90, 20000),
            "cluster_id": rng.integers(1, 4, 20000),
        }
    )
    made = payload.dots(places, 3000)
    lon = np.frombuffer(base64.b64decode(made["lon"]), "<f4")
    level = np.frombuffer(base64.b64decode(made["level"]), np.uint8)
    assert 500 < made["count"] <= 3000 and len(lon) == len(level) == made["count"]
    assert np.abs(lon).max() <= 180 and level.max() > 1


def test_a_result_with_little_in_it(tmp_path):
    """No names, no deals, no people, one cluster; and none at all."""
    import gpu_clusters

    table = pd.DataFrame({"doc_id": [1, 2, 3], "lon": [2.35] * 3, "lat": [48.86] * 3})
    for number, density in enumerate((2, 100)):
        home = tmp_path / str(number)
        gpu_clusters.rank(table, density=density, names=False).write(home / "result")
        for name in ("organizations", "partners", "boundaries"):
            (home / "result" / f"{name}.parquet").unlink()
        (home / "result" / "coverage.csv").unlink()
        report.write(home / "result", home / "report", regions={"Here": (0, 40, 10, 55)})
        page = (home / "report" / "report.html").read_text(encoding="utf-8")
        assert ("Cluster 1" in page) == (density == 2)


def test_on_the_command_line(written, tmp_path, monkeypatch, capsys):
    program = Program(monkeypatch, capsys, tmp_path)
    program.refused(3, "report", "missing", says="missing")
    (tmp_path / "empty").mkdir()
    program.refused(3, "report", "empty", says="ranking.parquet")
    here = written / "result"
    program.refused(2, "report", here, "--out", "r", "--region", "x=1,2,3", says="--region")
    program.refused(2, "report", here, "--out", "r", "--region", "x=10,2,3,1", says="region")
    program.refused(3, "report", here, "--out", "r", "--sweep", "empty", says="stability.csv")
    program.refused(2, "report", here, "--out", "r", "--top", 0, says="top")
    program.refused(2, "report", here, "--out", "r", "--device", "tpu", says="device")
    for names in (("a b", "A  b"), ("World", "x"), ("x", "x"), ("x", "x intensity")):
        boxes = [part for name in names for part in ("--region", f"{name}=10,2,30,10")]
        program.refused(2, "report", here, "--out", "r", *boxes, says="name")
    if importlib.util.find_spec("cudf") is None:
        program.refused(4, "report", here, "--out", "r", "--device", "gpu", says="cuDF")
    program.refused(3, "report", here, "--out", "r", "--previous", "empty", says="ranking.parquet")
    shutil.copytree(here, tmp_path / "bad")
    (tmp_path / "bad" / "locations.parquet").write_bytes(b"no")
    program.refused(3, "report", "bad", says="locations.parquet")
    ran = program("report", here, "--out", "r", "--region", "Nile=25,20,40,33", "--title", "Title & <more>")
    assert ran.code == 0 and ran.out == "" and "r/report.html" in ran.err
    assert (tmp_path / "r" / "map-nile.png").stat().st_size > 10_000
    assert "<title>Title &amp; &lt;more&gt;</title>" in (tmp_path / "r" / "report.html").read_text(encoding="utf-8")
    program.refused(2, "report", here, "--out", "r", says="--force")


def test_a_file_without_its_columns(written, tmp_path):
    shutil.copytree(written / "result", tmp_path / "result")
    pd.DataFrame({"lon": [1.0]}).to_parquet(tmp_path / "result" / "ranking.parquet")
    with pytest.raises(InputError, match="no column 'cluster_id'"):
        read(tmp_path / "result")
