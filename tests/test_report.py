"""Reports: which files there are, what they say, and the command; from a result and from its files."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
import zipfile

import matplotlib as mpl
import openpyxl
import pandas as pd
import pytest
from program import OF_A_USER, Program, tree
from reports import NAMES, ORGANIZATIONS, sweep

from gpu_clusters import InputError, report
from gpu_clusters.report import escape, files, maps, payload, tables
from gpu_clusters.report.contents import read


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


def test_same_result_same_bytes_whatever_the_settings_of_matplotlib(found, tmp_path):
    for name, settings in (("one", {}), ("two", OF_A_USER)):
        with mpl.rc_context(settings):
            report.write(found, tmp_path / name, regions={})
    one, two = tree(tmp_path / "one"), tree(tmp_path / "two")
    differing = {name for name in one if one[name] != two[name]}
    assert one.keys() == two.keys() and not differing


def test_workbook(written):
    path = written / "report" / "tables.xlsx"
    book = openpyxl.load_workbook(path)
    assert book.properties.modified == book.properties.created  # and no clock has been read
    with zipfile.ZipFile(path) as file:
        assert {part.date_time for part in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    keys = [path.stem for path in (written / "report").glob("*.csv")]
    assert set(book.sheetnames[:-1]) == set(keys) and book.sheetnames[-1] == "method" and len(book.sheetnames) == 13
    assert [book[key]["A1"].value for key in ("top", "stability")] == [
        "Top 10 clusters",
        "Ranks over the settings of the sweep",
    ]
    sheet = book["top"]
    head = [cell.value for cell in sheet[3]]
    assert head[:3] == ["Rank", "Cluster", "Economies"]
    assert [row[1].value for row in sheet.iter_rows(4, 13)] == [escape.one_line(name) for name in NAMES[:10]]
    assert all(row[1].data_type == "s" for row in sheet.iter_rows(4, 13))
    assert all(isinstance(row[3].value, (int, float)) for row in sheet.iter_rows(4, 13))


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


def test_payload_is_small_harmless_and_whole(contents):
    text = payload.payload(contents)
    assert not re.search("[<>&\u2028\u2029]", text)
    value = json.loads(text)
    assert [cluster["name"] for cluster in value["clusters"]] == [escape.one_line(name) for name in NAMES]
    assert value["ranges"]["1"] == [1, 1.5, 5, 20] and set(value["outlines"]) == {str(i) for i in range(1, 13)}
    assert value["organizations"]["1"]["patents"][0][0] in {escape.one_line(name) for name in ORGANIZATIONS}
    pairs = contents.partners
    for cluster, partners in value["partners"].items():
        both = pairs[(pairs["cluster_id"] == int(cluster)) | (pairs["partner_id"] == int(cluster))]
        assert len(partners) == min(8, len(both))
    noise = (contents.locations["cluster_id"] < 0).sum()
    assert value["noise"]["count"] == noise and value["members"]["count"] == len(contents.locations) - noise


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
