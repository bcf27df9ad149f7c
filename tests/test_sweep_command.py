"""The command ``sweep``: its files, resuming, checking, Dask, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from rich.console import Console

from gpu_clusters import GpuClustersError, UsageError, sweep
from gpu_clusters.schema import STABILITY, SWEEP_CLUSTERS, SWEEP_SETTINGS
from gpu_clusters.sweeps.page import page_data
from gpu_clusters.sweeps.parts import folder_beside
from gpu_clusters.sweeps.study import Study

FILES = {"settings.csv", "clusters.parquet", "stability.csv", "sweep.nc", "manifest.json", "sweep.html"}
PICTURES = {f"{name}.{ending}" for name in ("grid", "ranks") for ending in ("png", "svg", "pdf")}
GRID = {"radius_km": [4, 8, 12], "density": [4, 9, 20], "baseline": (8, 9)}


@pytest.fixture(scope="module")
def tables():
    rng = np.random.default_rng(1)
    centre = rng.normal(scale=0.3, size=(8, 2))
    place = centre[rng.integers(0, 8, 400)] + rng.normal(scale=0.03, size=(400, 2))
    lon, lat = place.T.round(3)
    patents = pd.DataFrame({"doc_id": np.arange(400) // 2, "lon": lon, "lat": lat})
    deals = pd.DataFrame({"lon": lon[::20] + 0.01, "lat": lat[::20], "deals": 2})
    return patents, deals


@pytest.fixture(scope="module")
def files(tables, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    tables[0].to_parquet(folder / "patents.parquet")
    tables[1].to_csv(folder / "deals.csv", index=False)
    return folder


def test_files_of_the_command(program, files, tables, tmp_path):
    out = tmp_path / "out"
    grid = ["--radius-km", "4:12:4", "--density", "4,9,20", "--baseline", "8,9"]
    inputs = ["--patents", files / "patents.parquet", "--deals", files / "deals.csv"]
    done = program("sweep", *inputs, *grid, "--out", out, "--check", "4", "--labels")
    assert done.code == 0, done.err
    assert {path.name for path in out.iterdir()} == FILES | PICTURES | {"labels.parquet"}
    assert not folder_beside(out).exists()
    assert "9 settings" in done.err and "4 checked by single runs" in done.err
    expected = sweep(tables[0], deals=tables[1], **GRID)
    settings = pd.read_csv(out / "settings.csv")
    assert tuple(settings) == SWEEP_SETTINGS
    pd.testing.assert_frame_equal(settings, expected.settings, check_dtype=False)
    clusters = pd.read_parquet(out / "clusters.parquet")
    assert tuple(clusters) == SWEEP_CLUSTERS
    pd.testing.assert_frame_equal(clusters, expected.clusters, check_categorical=False)
    stability = pd.read_csv(out / "stability.csv")
    assert tuple(stability) == STABILITY
    pd.testing.assert_frame_equal(stability, expected.stability, check_dtype=False)
    with xr.open_dataset(out / "sweep.nc", engine="h5netcdf") as cube:
        assert (cube["lon"].units, cube["lat"].units) == ("degrees_east", "degrees_north")
        assert (
            cube["baseline_total_share"].units == cube["deal_share"].units == "percent"
            and cube["radius_km"].units == "km"
        )
        assert set(cube.sizes) == {"radius_km", "density", "cluster"}
        xr.testing.assert_equal(cube.load(), expected.cube)
    labels = pd.read_parquet(out / "labels.parquet")
    assert len(labels.columns) == 2 + 9
    assert labels["radius_km=12 density=4"].tolist() == expected.labels(12, 4)["cluster_id"].tolist()
    manifest = json.loads((out / "manifest.json").read_text())
    assert {entry["name"] for entry in manifest["outputs"]} == FILES - {"manifest.json"} | PICTURES | {"labels.parquet"}
    assert len(manifest["checked"]) == 4 and manifest["grid"]["baseline"] == [8, 9]
    page = (out / "sweep.html").read_text(encoding="utf-8")
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:)|https?://""", page)
    data = json.loads(re.search(r'id="data">(.*)</script>', page)[1])
    assert len(data["land"]["land"]) > 500
    assert [one[1] for one in data["baseline_clusters"].values()] == stability["label"].tolist()
    assert [one["clusters"] for one in data["settings"]] == settings["clusters"].tolist()
    assert [row[0] for row in data["settings"][0]["rows"]] == clusters["rank"].tolist()[: settings["clusters"][0]]
    again = program("sweep", *inputs, *grid, "--out", out)
    assert again.code == 2 and "--force" in again.err


def test_a_range_that_does_not_meet_its_stop(program, files, tmp_path):
    """Which values it takes is told once, before the work; of ranges that meet theirs nothing is told."""
    options = ["--patents", files / "patents.parquet", "--density", "4:9:5", "--no-pictures", "--out", tmp_path / "out"]
    done = program("sweep", *options, "--radius-km", "1,5:10.5:2.5,2:9:1.5")
    assert done.code == 0, done.err
    told = [
        "radius_km '5:10.5:2.5' does not meet 10.5: it takes 5, 7.5, 10",
        "radius_km '2:9:1.5' does not meet 9: it takes 2, 3.5, 5, 6.5, 8",
    ]
    assert [line for line in done.err.splitlines() if "does not meet" in line] == [f"warning: {line}" for line in told]
    assert json.loads((tmp_path / "out" / "manifest.json").read_text())["warnings"][:2] == told
    done = program("sweep", *options, "--radius-km", "1:3.2:0.25", "--force")
    assert "radius_km '1:3.2:0.25' does not meet 3.2: it takes 1, 1.25, 1.5, 1.75, 2, ..., 3\n" in done.err
    done = program("sweep", *options, "--radius-km", "0.1:0.7:0.2", "--force")
    assert done.code == 0 and "does not meet" not in done.err


def test_what_is_told_as_json_and_on_the_screen(program, files):
    options = ["--patents", files / "patents.parquet", "--radius-km", "4,8", "--density", "4,9", "--baseline", "8,9"]
    args = ("sweep", *options)
    ran = program(*args, "--out", "out", "--json")
    assert ran.code == 0 and "warning" not in ran.err, ran
    said = json.loads(ran.out)
    settings, stability = pd.read_csv("out/settings.csv"), pd.read_csv("out/stability.csv")
    assert (said["out"], said["settings"], said["baseline"], said["warnings"]) == ("out", 4, [8, 9], [])
    assert said["clusters"] == settings["clusters"].sum()
    assert 0 < len(stability) <= 20 and list(said["stability"][0]) == list(stability)
    assert [row["label"] for row in said["stability"]] == stability["label"].tolist()
    shown = program(*args, "--out", "other")
    assert shown.code == 0 and len(shown.out.splitlines()) == 1 + len(stability)
    assert "4 settings at" in shown.err and shown.err.rstrip().endswith("s -> other")


def test_resuming_computes_only_what_is_missing(tables, tmp_path, monkeypatch):
    whole = sweep(tables[0], deals=tables[1], **GRID)
    kept, seen = tmp_path / "kept", []
    part = Study.part

    def counted(self, weighting, radius):
        seen.append(radius)
        if len(seen) == 3:
            raise KeyboardInterrupt
        return part(self, weighting, radius)

    monkeypatch.setattr(Study, "part", counted)
    with pytest.raises(KeyboardInterrupt):
        sweep(tables[0], deals=tables[1], keep=kept, **GRID)
    again = sweep(tables[0], deals=tables[1], keep=kept, resume=True, **GRID)
    assert seen == [4, 8, 12, 12]
    pd.testing.assert_frame_equal(again.settings, whole.settings, check_exact=True)
    pd.testing.assert_frame_equal(again.clusters, whole.clusters, check_exact=True)
    for changed in ({"area_degrees": 0.1}, {"density": [4, 9, 21]}):  # another sweep's radii are not taken
        seen.clear()
        seen += [0] * 5
        sweep(tables[0], deals=tables[1], keep=kept, resume=True, **(GRID | changed))
        assert seen[5:] == [4, 8, 12]


INTERRUPTS = """
import os, signal
from gpu_clusters.sweeps.study import Study
from gpu_clusters_cli.main import run

part = Study.part

def interrupted(self, weighting, radius_km):
    if radius_km > 4:
        os.kill(os.getpid(), signal.SIGTERM)
    return part(self, weighting, radius_km)

Study.part = interrupted
run()
"""


def test_an_interrupted_run_says_how_to_go_on(program, files, tmp_path):
    args = [
        "sweep",
        "--patents",
        str(files / "patents.parquet"),
        "--radius-km",
        "4,8",
        "--density",
        "9",
        "--out",
        "out",
    ]
    ran = subprocess.run([sys.executable, "-c", INTERRUPTS, *args], cwd=tmp_path, capture_output=True, text=True)
    said = "error: interrupted; nothing was written; --resume goes on with the radii that are finished"
    assert ran.returncode == 130 and ran.stderr.splitlines()[-1] == said
    assert len(list((tmp_path / ".out.sweep").iterdir())) == 1 and not (tmp_path / "out").exists()
    assert program(*args, "--no-pictures", "--resume").code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_radii_that_are_all_but_equal_are_told_apart(tables, tmp_path):
    grid = {"radius_km": [7.0, 7.0000001], "density": [4, 4.0000001], "baseline": (7, 4)}
    for _ in range(2):
        result = sweep(tables[0], keep=tmp_path / "kept", resume=True, **grid)
    assert len(list((tmp_path / "kept").iterdir())) == 2
    result.write(tmp_path / "out", labels=True, pictures=False)
    labels = pd.read_parquet(tmp_path / "out" / "labels.parquet")
    assert list(labels)[2:] == [f"radius_km={r} density={d}" for r in ("7", "7.0000001") for d in ("4", "4.0000001")]


def test_what_a_result_writes_unless_told_otherwise(tables, tmp_path):
    result, out = sweep(tables[0], radius_km=4, density=4, weighting=["raw", "inventor-equivalent"]), tmp_path / "out"
    result.write(out)
    grids = {name.replace("grid", f"grid-{one}") for name in PICTURES for one in ("raw", "inventor-equivalent")}
    assert {path.name for path in out.iterdir()} == FILES | grids
    with pytest.raises(UsageError, match="force"):
        result.write(out, labels=True, pictures=False)
    result.write(out, force=True, labels=True, pictures=False)
    assert {path.name for path in out.iterdir()} == FILES - {"sweep.html"} | {"labels.parquet"}
    labels = pd.read_parquet(out / "labels.parquet")
    names = [f"radius_km=4 density=4 weighting={weighting}" for weighting in ("raw", "inventor-equivalent")]
    assert list(labels) == ["lon", "lat", *names]
    for name, weighting in zip(names, ("raw", "inventor-equivalent"), strict=True):
        assert labels[name].tolist() == result.labels(4, 4, weighting)["cluster_id"].tolist()


def test_radii_of_other_tables_in_memory_are_not_taken(tables, tmp_path):
    """Tables with the same places and totals."""
    patents, deals = tables
    sweep(patents, deals=deals, keep=tmp_path, **GRID)
    fraction = np.where(np.arange(400) % 2, 0.25, 0.75)
    half = deals.assign(deals=[1, 3] * (len(deals) // 2))
    for given in (
        (patents.assign(doc_id=patents["doc_id"].to_numpy()[np.random.default_rng(0).permutation(400)]), deals),
        (patents.assign(fraction=fraction), deals),
        (patents.assign(fraction=fraction[::-1]), deals),
        (patents, half),
    ):
        again = sweep(given[0], deals=given[1], keep=tmp_path, resume=True, **GRID)
        anew = sweep(given[0], deals=given[1], **GRID)
        pd.testing.assert_frame_equal(again.clusters, anew.clusters, check_exact=True)


def _halved(shape):
    rows = shape[0]
    return b"%*d" % (len(rows), int(rows) // 2)


DAMAGES = {
    "cut": lambda content: content[:1000],
    "fewer rows": lambda content: re.sub(rb"(?<='shape': \()\d{4,}(?=,\))", _halved, content),
    "an unknown compression": lambda content: (
        content[: (at := content.rfind(b"PK\1\2") + 10)] + b"c" + content[at + 1 :]
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_radius_is_computed_anew(damage, tables, tmp_path):
    grid = {"radius_km": 4, "density": "0.02:6:0.02"}
    whole = sweep(tables[0], keep=tmp_path, **grid)
    assert len(whole.clusters) > 1024  # so that a column is more than what is read of a file at once
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    path.write_bytes(DAMAGES[damage](content))
    assert path.read_bytes() != content
    again = sweep(tables[0], keep=tmp_path, resume=True, **grid)
    pd.testing.assert_frame_equal(again.clusters, whole.clusters, check_exact=True)
    pd.testing.assert_frame_equal(again.settings, whole.settings, check_exact=True)


def test_a_folder_beside_which_nothing_may_be_written(program, files, tmp_path, monkeypatch):
    out = tmp_path / "mine" / "out"
    out.mkdir(parents=True)
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != out.parent and allowed(path, mode))
    grid = ["--radius-km", "5", "--density", "5", "--no-pictures"]
    done = program("sweep", "--patents", files / "patents.parquet", *grid, "--out", out)
    assert done.code == 0 and "--resume" in done.err and "settings.csv" in {path.name for path in out.iterdir()}
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_configuration_for_single_runs(program, files, tmp_path):
    text = f'patents = "{files / "patents.parquet"}"\nradius_km = "4,8"\ndensity = 9\nnames = "a.csv"\nprevious = "b"\n'
    (tmp_path / "study.toml").write_text(text)
    done = program("sweep", "--config", "study.toml", "--no-pictures", "--out", "out")
    assert done.code == 0 and "names is for single runs" in done.err and "previous is for single runs" in done.err
    (tmp_path / "study.toml").write_text(text + 'regions = "c.geojson"\n')
    program.refused(2, "sweep", "--config", "study.toml", "--out", "other", says="regions")


def test_the_table_on_a_narrow_screen(tables, monkeypatch):
    from gpu_clusters_cli import output

    stability = sweep(tables[0], **GRID).stability
    for width, some in ((80, {"best", "worst", "robustness"}), (120, {"split", "swallowed"})):
        monkeypatch.setattr(output, "_console", lambda width=width: Console(width=width))
        screen = Console(width=width)
        with screen.capture() as captured:
            screen.print(output.stability_table(stability, 3, 9))
        assert some <= set(captured.get().split()) and "\N{HORIZONTAL ELLIPSIS}" not in captured.get().splitlines()[0]


@pytest.mark.parametrize("what", ["rank", "patents", "publications", "deals", "densest", "size", "core"])
def test_a_difference_to_a_single_run_is_an_error(what, tables, monkeypatch):
    single = Study.single

    def wrong(self, *at):
        clusters, number, core = single(self, *at)
        more = 1e-9 if what in ("patents", "publications", "deals") else 1
        if what == "core":
            return clusters, number, core + more
        return clusters._replace(**{what: getattr(clusters, what) + more}), number, core

    monkeypatch.setattr(Study, "single", wrong)
    with pytest.raises(GpuClustersError, match="fault of the program"):
        sweep(tables[0], deals=tables[1], radius_km=[8], density=[4], check=1)


def test_two_workers_give_the_same(tables):
    distributed = pytest.importorskip("distributed")
    one = sweep(tables[0], deals=tables[1], **GRID)
    two = sweep(tables[0], deals=tables[1], dask="local:2", **GRID)
    with pytest.raises(ValueError):
        distributed.get_client()  # they are gone
    pd.testing.assert_frame_equal(one.settings, two.settings, check_exact=True)
    pd.testing.assert_frame_equal(one.clusters, two.clusters, check_exact=True)
    pd.testing.assert_frame_equal(one.stability, two.stability, check_exact=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--density", "5"], "radius_km"),
        (["--radius-km", "5"], "density"),
        (["--radius-km", "5:1:1", "--density", "5"], "downwards"),
        (["--radius-km", "5", "--density", "5", "--weighting", "rare"], "weighting"),
        (["--radius-km", "5", "--density", "5", "--weighting", ""], "weighting"),
        (["--radius-km", "5", "--density", "5", "--border", "lowest"], "densest"),
        (["--radius-km", "5", "--density", "5", "--merge-km", "3"], "merge"),
    ],
)
def test_wrong_options(program, files, tmp_path, options, said):
    program.refused(2, "sweep", "--patents", files / "patents.parquet", *options, "--out", tmp_path / "out", says=said)


def test_the_page_shows_a_hundred_clusters_of_a_setting():
    table = pd.DataFrame({"doc_id": range(4), "lon": [9.0, -3.0, -3.0, 0.0], "lat": [5.0, 8.0, -8.0, -0.5]})
    result = sweep(table, radius_km=[1, 2], density=1)
    rows = result.clusters.iloc[np.arange(5_000) % len(result.clusters)]
    many = replace(result, clusters=rows, settings=result.settings.assign(clusters=[len(rows) - 10, 10]))
    shown = page_data(many)
    assert [len(one["rows"]) for one in shown["settings"]] == [100, 10]
    assert shown["places"] == [[-3, -8], [-3, 8], [0, -0.5], [9, 5]]
    assert {row[1] for one in shown["settings"] for row in one["rows"]} == {0, 1, 2, 3}


def test_the_name_is_the_function():
    import gpu_clusters.sweeps.run

    assert callable(gpu_clusters.sweep)
