"""The command line program on bad options, bad data and places that it cannot write to."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from program import Program, address_table, complete, process, tree

TABLES = ("patents", "publications", "deals")


@pytest.fixture
def program(monkeypatch, capsys, tmp_path):
    """The program, in a folder with one good file of each table."""
    for table in TABLES:
        address_table().drop(columns=["doc_id"] if table == "deals" else []).to_parquet(tmp_path / f"{table}.parquet")
    return Program(monkeypatch, capsys, tmp_path)


def arguments(table: str, path: object) -> list[object]:
    """Options that name the path for one table and good files for the others."""
    files = {name: path if name == table else f"{name}.parquet" for name in TABLES}
    return [
        "rank",
        *(part for name, file in files.items() for part in (f"--{name}", file)),
        "--density",
        5,
        "--out",
        "out",
    ]


def good(table: str) -> pd.DataFrame:
    return address_table().drop(columns=["doc_id"] if table == "deals" else [])


BAD = {
    "empty.parquet": b"",
    "empty.csv": b"",
    "empty.geojson": b"",
    "random.parquet": np.random.default_rng(0).bytes(5000),
    "random.csv": np.random.default_rng(1).bytes(5000),
    "random.csv.gz": np.random.default_rng(2).bytes(5000),
    "random.tsv.zst": np.random.default_rng(3).bytes(5000),
    "random.geojson": np.random.default_rng(4).bytes(5000),
    "magic.parquet": b"PAR1" + np.random.default_rng(5).bytes(500) + b"PAR1",
    "header.csv": b"doc_id,lon,lat,deals,fraction\n",
    "noheader.csv": b"1,2,3\n4,5,6\n",
    "ungeocoded.csv": b"doc_id,lon,lat\n1,,\n2,NA,5\n3,5,nan\n",
    "invalid.csv": b"doc_id,lon,lat\n1,0,91\n2,361,5\n3,inf,0\n",
    "text.csv": b"doc_id,lon,lat\n1,2,3\n2,48\xc2\xb051'N,2\n",
    "comma.csv": b'doc_id,lon,lat\n1,2,3\n2,"4,5",2\n',
    "ragged.csv": b"doc_id,lon,lat\n1,2,3\n2,3\n",
    "quote.csv": b'doc_id,lon,lat\n1,2,"3\n2,3,4\n',
    "latin.csv": "doc_id,lon,lat,country\n1,2,3,Köln\n".encode("latin-1"),
    "utf16.csv": "doc_id,lon,lat\n1,2,3\n".encode("utf-16"),
    "polygon.geojson": b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"doc_id":1},"geometry":'
    b'{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}}]}',
    "not.geojson": b'{"type": "nothing"}',
    "list.json": b"[1, 2, 3]",
    "table.xlsx": b"PK\3\4",
    "missing.parquet": None,
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("name", BAD)
def test_bad_files(program, table, name):
    if BAD[name] is not None:
        Path(name).write_bytes(BAD[name])
    assert name.split(".")[0] in program.refused(3, *arguments(table, name))


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "change",
    [
        {"lon": "here"},
        {"lat": [None] * 60},
        {"lon": np.nan, "lat": np.nan},
        {"lat": 90.5},
        {"lon": pd.Timestamp("2020-01-01")},
        {"lon": True},
    ],
    ids=str,
)
def test_bad_coordinates(program, table, change):
    good(table).assign(**change).to_parquet("bad.parquet")
    program.refused(3, *arguments(table, "bad.parquet"), says="bad.parquet")


@pytest.mark.parametrize("part", [0.0, 0.3, 0.9, 0.999])
@pytest.mark.parametrize("table", TABLES)
def test_truncated_parquet(program, table, part):
    whole = Path(f"{table}.parquet").read_bytes()
    Path("cut.parquet").write_bytes(whole[: int(len(whole) * part)])
    program.refused(3, *arguments(table, "cut.parquet"), says="cut.parquet")


@pytest.mark.parametrize("table", TABLES)
def test_damaged_pages_of_parquet(program, table):
    rng = np.random.default_rng(0)
    good(table).assign(country=rng.integers(10**9, size=60).astype(str)).to_parquet("whole.parquet", compression="zstd")
    data = bytearray(Path("whole.parquet").read_bytes())
    data[4:60] = rng.bytes(56)
    Path("damaged.parquet").write_bytes(data)
    program.refused(3, *arguments(table, "damaged.parquet"), says="damaged.parquet")


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("column", ["doc_id", "lon", "lat"])
def test_missing_columns(program, table, column):
    if column in good(table):
        good(table).drop(columns=column).to_parquet("lacking.parquet")
        program.refused(3, *arguments(table, "lacking.parquet"), says=f'"{column}" is missing')


@pytest.mark.parametrize("table", TABLES)
def test_no_rows(program, table):
    good(table).iloc[:0].to_parquet("none.parquet")
    program.refused(3, *arguments(table, "none.parquet"), says="no row")


@pytest.mark.parametrize("value", [-0.5, np.nan, np.inf, -np.inf])
def test_bad_numbers(program, value):
    for table in TABLES:
        column = "deals" if table == "deals" else "fraction"
        if column == "deals" and np.isnan(value):  # counts 1
            continue
        good(table).assign(**{column: [1.0] * 59 + [value]}).to_csv("bad.csv", index=False)
        line = program.refused(3, *arguments(table, "bad.csv"), says=column)
        assert "row 60" in line


def test_null_document(program):
    address_table(doc_id=[None] + ["a"] * 59).to_parquet("bad.parquet")
    assert "row 1" in program.refused(3, *arguments("patents", "bad.parquet"), says="doc_id")


def test_unreadable_file(program, monkeypatch):
    address_table().to_parquet("secret.parquet")
    Path("secret.parquet").chmod(0)
    if os.getuid() == 0:
        opened = Path.open

        def refuse(self, *args, **how):
            if self.name == "secret.parquet":
                raise PermissionError(13, "Permission denied", str(self))
            return opened(self, *args, **how)

        monkeypatch.setattr(Path, "open", refuse)
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"")  # that the helper looks with
    program.refused(3, *arguments("patents", "secret.parquet"), says="permission")


def test_names_that_are_no_files(program):
    Path("folder").mkdir()
    os.mkfifo("pipe.csv")
    for name in ("folder", "pipe.csv", "/dev/null", "/dev/zero", "no/such/file.csv", "x" * 300 + ".csv"):
        program.refused(3, *arguments("patents", name))
    program.refused(3, *arguments("patents", ""), says="empty")
    program.refused(3, *arguments("patents", "patents.parquet"), "--patents", "patents.parquet", says="twice")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        *((["--radius-km", value], "radius_km") for value in ("nan", "inf", "-inf", "0", "-1", "-0.0")),
        *((["--density", value], "density") for value in ("nan", "inf", "0", "-4500")),
        *((["--area-degrees", value], "area_degrees") for value in ("nan", "inf", "0", "-0.05")),
        *((["--merge-km", value], "merge_km") for value in ("nan", "inf", "-1")),
        *((["--top", value], "top") for value in ("0", "-1", "1.5", "many")),
        *(([option, "x"], option) for option in ("--radius-km", "--density", "--area-degrees", "--merge-km")),
        *(([option, "x"], option[2:]) for option in ("--weighting", "--border", "--device", "--engine", "--crs")),
        (["--crs", "EPSG:4326"], "metres"),
        (["--crs", ""], "crs"),
        (["--years", "2019:2023"], "--years"),
        (["--years", "patents=2019"], "--years"),
        (["--years", "patents=a:b"], "--years"),
        (["--years", "deals=2023:2019"], "deals"),
        (["--years", "papers=2019:2023"], "papers"),
        (["--column", "patents.organization"], "--column"),
        (["--column", "organization=applicant"], "--column"),
        (["--column", "patents.organization="], "--column"),
        (["--column", "papers.lon=x"], "papers"),
        (["--column", "patents.applicant=x"], "applicant"),
        (["--column", "deals.doc_id=x"], "doc_id"),
        (["--no-merge", "--merge-km", "3"], "--no-merge"),
        (["--radius", "15"], "--radius"),
        (["--force=yes"], "--force"),
        (["stray.parquet"], "stray.parquet"),
        (["--force", "stray.parquet"], "stray.parquet"),
        (["--density"], "--density"),
        (["--patents"], "--patents"),
        (["--patents", "--force"], "--patents"),
        (["--out", ""], "--out"),
        (["--config", "no.toml"], "no.toml"),
        (["--config", "."], "--config"),
        (["--boundary", ""], "boundary must be"),
        (["--region-name", "id"], "region_name"),
    ],
    ids=str,
)
def test_bad_options(program, options, says):
    given = ["--patents", "patents.parquet", "--out", "out"]
    program.refused(2, "rank", *given, *options, says=says)


def test_missing_options(program):
    program.refused(2, "rank", says="--out")
    program.refused(2, "rank", "--out", "out", says="--patents")
    program.refused(2, "rank", "--out", "out", "--deals", "deals.parquet", says="--patents")
    program.refused(2, "rank", "--patents", "patents.parquet", says="--out")


def test_bad_commands(program):
    program.refused(2, "rnak", says="rnak")
    program.refused(2, "--verbose", says="--verbose")
    program.refused(2, "demo", "--scale", "0", says="scale")
    program.refused(2, "demo", "--scale", "nan", says="scale")
    program.refused(2, "demo", "--scale", "1.5", says="scale")
    program.refused(2, "demo", "--seed", "-1", says="--seed")
    program.refused(2, "demo", "--patents", "patents.parquet", says="--patents")
    program.refused(2, "doctor", "now", says="now")
    without = program()
    assert without.code == 2 and "rank" in without.out + without.err


@pytest.mark.parametrize(
    "options", [["--device", "gpu"], ["--engine", "cuml"], ["--device", "gpu", "--engine", "sklearn"]]
)
def test_no_silent_fallback(program, options):
    from importlib.util import find_spec

    if find_spec("cupy"):
        pytest.skip("there may be a GPU")
    program.refused(4, "rank", "--patents", "patents.parquet", "--out", "out", *options, says="not available")
    ran = program("demo", "--scale", "0.005", "--out", "out", *options)
    assert ran.code == 4 and ran.out == "" and not Path("out").exists()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("radius = 15", "radius"),
        ("radius-km = 15", "radius-km"),
        ("force = true", "force"),
        ("[settings]\nradius_km = 15", "settings"),
        ("radius_km = ", "TOML"),
        ("\0", "TOML"),
        ("radius_km = 'x'", "radius_km"),
        ("radius_km = nan", "radius_km"),
        ("radius_km = [15]", "radius_km"),
        (f"radius_km = 1{'0' * 400}", "radius_km"),
        ("density = true", "density"),
        ("density = -inf", "density"),
        ("density = 2020-01-01", "density"),
        ("merge_km = true", "merge_km"),
        ("merge_km = 'no'", "merge_km"),
        ("area_degrees = 0", "area_degrees"),
        ("weighting = 3", "weighting"),
        ("border = ['densest']", "border"),
        ("top = 2.0", "top"),
        ("top = false", "top"),
        ("device = 'tpu'", "device"),
        ("engine = {}", "engine"),
        ("crs = 3035", "crs"),
        ("crs = ['EPSG:3035']", "crs"),
        ("out = 3", "out"),
        ("out = ''", "out"),
        ("out = ['a']", "out"),
        ('out = "a\\u0000b"', "out"),
        ("patents = 3", "patents"),
        ("patents = [3]", "patents"),
        ("patents = ''", "patents"),
        ("deals = {a = 1}", "deals"),
        ("columns = 3", "columns"),
        ("columns = ['a']", "columns"),
        ("[columns]\npatents = 'applicant'", "columns"),
        ("[columns.patents]\norganization = 3", "columns"),
        ("[columns.patents]\napplicant = 'organization'", "applicant"),
        ("[columns.papers]\norganization = 'x'", "papers"),
        ("years = '2019:2023'", "years"),
        ("[years]\npatents = 2019", "years"),
        ("[years]\npatents = [2019]", "years"),
        ("[years]\npatents = ['2019', '2023']", "years"),
        ("[years]\npatents = [2019.0, 2023.0]", "years"),
        ("[years]\npatents = [true, false]", "years"),
        ("[years]\npatents = [2023, 2019]", "years"),
        ("[years]\npatents = '2019'", "--config c.toml: years.patents must be [FROM, TO] or 'FROM:TO', not '2019'"),
        ("[years]\npapers = '2019:2023'", "papers"),
        ("[years]\npapers = [2019, 2023]", "papers"),
    ],
    ids=lambda value: value[:40],
)
def test_bad_config(program, text, says):
    Path("c.toml").write_text(text, encoding="utf-8")
    given = [] if text.startswith("patents") else ["--patents", "patents.parquet"]
    given += [] if text.startswith("out") else ["--out", "out"]
    program.refused(2, "rank", "--config", "c.toml", *given, says=says)


def test_config_that_is_not_utf8(program):
    Path("c.toml").write_bytes(b'out = "\xff"')
    program.refused(2, "rank", "--config", "c.toml", "--patents", "patents.parquet", says="TOML")


def test_out_that_cannot_be(program):
    Path("file").write_text("x")
    Path("full").mkdir()
    Path("full/mine.txt").write_text("x")
    Path("link").symlink_to("full")
    Path("loop").symlink_to("loop")
    given = ["rank", "--patents", "patents.parquet", "--out"]
    program.refused(2, *given, "file", says="file")
    program.refused(2, *given, "file", "--force", says="file")
    program.refused(2, *given, "file/below/it", says="file")
    program.refused(2, *given, "full", says="--force")
    program.refused(2, *given, "full/", says="--force")
    program.refused(2, *given, "link", says="--force")
    program.refused(2, *given, ".", says="--force")
    program.refused(2, *given, "full/../full", says="--force")
    program.refused(2, *given, "loop", "--force")
    program.refused(2, *given, "x" * 300)
    program.refused(2, "demo", "--out", "full", says="--force")


def test_out_is_looked_at_before_the_data(program):
    Path("full").mkdir()
    Path("full/mine.txt").write_text("x")
    program.refused(2, "rank", "--patents", "no.parquet", "--out", "full", says="--force")


def test_no_permission_to_write(program, monkeypatch):
    access = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK | os.X_OK and access(path, mode))
    program.refused(1, "rank", "--patents", "patents.parquet", "--out", "out", says="permission")
    Path("out").mkdir()
    program.refused(1, "rank", "--patents", "patents.parquet", "--out", "out", says="permission")


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), OSError("IOError: disk on fire")])
def test_disk_full(program, monkeypatch, error, force):
    from gpu_clusters.io import results

    if force:
        assert program("rank", "--patents", "patents.parquet", "--density", 5, "--out", "deep/out").code == 0
        Path("deep/out/mine.txt").write_text("x")
    before = tree(Path())

    def fail(*_, **__):
        raise error

    monkeypatch.setattr(results, "write_json", fail)
    args = ["--force"] if force else []
    program.refused(
        1, "rank", "--patents", "patents.parquet", "--density", 6, "--out", "deep/out", *args, says="cannot write"
    )
    assert tree(Path()) == before


def test_out_of_memory_and_unexpected_errors(program, monkeypatch):
    import gpu_clusters.pipeline

    def fail(*_, **__):
        raise MemoryError("Unable to allocate 40 TiB")

    monkeypatch.setattr(gpu_clusters.pipeline, "rank", fail)
    program.refused(
        1, "rank", "--patents", "patents.parquet", "--out", "out", says="out of memory (Unable to allocate 40 TiB)"
    )

    def surprise(*_, **__):
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr(gpu_clusters.pipeline, "rank", surprise)
    ran = program("rank", "--patents", "patents.parquet", "--out", "out")
    assert ran.code == 1 and "unexpected ZeroDivisionError: two\\nlines" in ran.err and "Traceback" not in ran.err
    monkeypatch.setenv("GPU_CLUSTERS_DEBUG", "1")
    ran = program("rank", "--patents", "patents.parquet", "--out", "out")
    assert ran.code == 1 and "Traceback" in ran.err and 'raise ZeroDivisionError("two' in ran.err


def test_interrupted_within(program, monkeypatch):
    import gpu_clusters.pipeline

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(gpu_clusters.pipeline, "rank", interrupt)
    program.refused(130, "rank", "--patents", "patents.parquet", "--out", "out", says="interrupted")


def test_weights_that_overflow(program, monkeypatch):
    from gpu_clusters.settings import Settings

    monkeypatch.setattr(Settings, "weights", lambda *_: Settings(density=-1))
    program.refused(2, "rank", "--patents", "patents.parquet", "--out", "out", says="density")


def test_exit_codes_of_processes(tmp_path):
    address_table().to_parquet(tmp_path / "p.parquet")
    for code, args in {
        2: ["rank", "--patents", "p.parquet", "--out", "out", "--radius-km", "nan"],
        3: ["rank", "--patents", "q.parquet", "--out", "out"],
        4: ["rank", "--patents", "p.parquet", "--out", "out", "--engine", "cuml"],
    }.items():
        ran = process(*args, cwd=tmp_path)
        assert ran.code == code and ran.out == "" and ran.err.startswith("error: ") and ran.err.count("\n") == 1, ran
    assert [path.name for path in tmp_path.iterdir()] == ["p.parquet"]


def test_full_stdout(tmp_path, some_files):
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    from program import COMMAND

    with Path("/dev/full").open("w") as full:
        for args in (["rank", *some_files, "--out", "out"], ["--version"]):
            done = subprocess.run([*COMMAND, *args], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, check=False)
            lines = done.stderr.decode().splitlines()
            assert done.returncode == 1 and "No space left" in lines[-1] and lines[-1].startswith("error: ")
            assert "Exception" not in done.stderr.decode() and "Traceback" not in done.stderr.decode()
    complete(tmp_path / "out")


def test_reader_that_leaves_early(tmp_path, some_files):
    from program import COMMAND

    for args in (["rank", *some_files, "--out", "out", "--json"], ["doctor"], ["rank", "--help"]):
        with subprocess.Popen(
            [*COMMAND, *args], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as reading:
            reading.stdout.close()
            said = reading.stderr.read()
        assert reading.returncode in (0, 1)
        assert b"Traceback" not in said and b"Exception" not in said and b"Broken" not in said, said
    complete(tmp_path / "out")


def test_json_of_odd_values():
    from gpu_clusters.io.results import plain

    value = {
        "a": np.float64("nan"),
        "b": [np.int64(3), np.bool_(True), pd.NA, pd.NaT, None],
        1: (float("inf"), pa.int64()),
    }
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == {
        "a": None,
        "b": [3, True, None, None, None],
        "1": [None, "int64"],
    }
