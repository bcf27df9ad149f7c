"""The command line program at work: what it prints, what it writes, how its options and its configuration file are read."""

from __future__ import annotations

import json
import os
import random
import re
import select
import signal
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from gpu_clusters_cli.many import repeated
from program import COMMAND, FILES, Program, address_table, complete, process, tree

import gpu_clusters


@pytest.fixture
def program(monkeypatch, capsys, tmp_path):
    """The program, in a folder with three tables."""
    address_table(year=2020).to_parquet(tmp_path / "p.parquet")
    address_table().to_csv(tmp_path / "q.csv", index=False)
    address_table().drop(columns="doc_id").to_parquet(tmp_path / "d.parquet")
    return Program(monkeypatch, capsys, tmp_path)


def ran_well(program, *args) -> str:
    """Run, assert success and progress nowhere; what is on stdout."""
    ran = program(*args)
    assert ran.code == 0, ran
    assert "\x1b" not in ran.out + ran.err and "\r" not in ran.err
    return ran.out


def inputs(out: str = "out") -> dict[str, list[str]]:
    """Names of the files that went in, by table."""
    found: dict[str, list[str]] = {}
    for entry in json.loads(Path(out, "manifest.json").read_text())["inputs"]:
        found.setdefault(entry["table"], []).append(entry["name"])
    return found


def test_rank_writes_what_the_library_gives(program):
    ran = program(
        "rank",
        "--patents",
        "p.parquet",
        "--publications",
        "q.csv",
        "--deals",
        "d.parquet",
        "--density",
        5,
        "--out",
        "out",
    )
    assert ran.code == 0
    manifest = complete(Path("out"))
    expected = gpu_clusters.rank("p.parquet", "q.csv", "d.parquet", density=5)
    ranking = pd.read_parquet("out/ranking.parquet")
    assert len(ranking) == 2
    for name in ("total_share", "locations", "lon", "lat", "economies"):
        assert ranking[name].tolist() == expected.ranking[name].tolist()
    lines = ran.out.splitlines()
    assert lines[0].split()[:2] == ["rank", "cluster"] and len(lines) == 3
    assert "NA" in ran.out and "FR" in ran.out
    *covered, told = ran.err.splitlines()
    assert covered == [
        "patents: 60 rows, 100.0 % geocoded; 30 documents, 100.0 % covered",
        "publications: 60 rows, 100.0 % geocoded; 30 documents, 100.0 % covered",
        "deals: 60 rows, 100.0 % geocoded; 60 deals, 100.0 % covered",
    ]
    assert told.startswith("2 clusters (2 before merging) of 120 addresses") and told.endswith("-> out")
    world = [row for row in manifest["coverage"] if row["country"] == "World"]
    assert [(row["table"], row["rows"], row["documents_pct"]) for row in world] == [
        ("patents", 60, 100.0),
        ("publications", 60, 100.0),
        ("deals", 60, 100.0),
    ]
    assert len(manifest["coverage"]) == len(pd.read_csv("out/coverage.csv"))
    assert [entry["rows"] for entry in manifest["inputs"]] == [60, 60, 60]
    assert manifest["inputs"][0]["size"] == Path("p.parquet").stat().st_size


def test_order_of_rows_does_not_matter(program):
    ran_well(program, "rank", "--patents", "p.parquet", "--publications", "q.csv", "--density", 5, "--out", "a")
    address_table(year=2020).sample(frac=1, random_state=1).to_parquet("p.parquet")
    address_table().sample(frac=1, random_state=2).to_csv("q.csv", index=False)
    ran_well(program, "rank", "--patents", "p.parquet", "--publications", "q.csv", "--density", 5, "--out", "b")
    for name in FILES - {"manifest.json"}:
        assert Path("a", name).read_bytes() == Path("b", name).read_bytes(), name


def test_first_twenty_are_shown(program):
    out = ran_well(program, "rank", "--patents", "p.parquet", "--density", 1, "--radius-km", 1, "--out", "out")
    assert len(out.splitlines()) == 21
    assert pq.read_metadata("out/ranking.parquet").num_rows == 22


@pytest.mark.parametrize(
    "options",
    [
        ["--patents", "p.parquet", "a.csv", "b.csv"],
        ["--patents", "p.parquet", "--patents", "a.csv", "b.csv"],
        ["--patents=p.parquet", "a.csv", "--patents=b.csv"],
        ["--force", "--patents", "p.parquet", "a.csv", "--no-merge", "--patents", "b.csv"],
        ["--merge-km", "-0", "--patents", "p.parquet", "a.csv", "b.csv", "--top", "3"],
    ],
    ids=" ".join,
)
def test_several_files_for_one_option(program, options):
    for name in ("a.csv", "b.csv"):
        address_table().to_csv(name, index=False)
    before = ["--density", "5", "--out", "out"]
    for args in ([*before, *options], [*options, *before], [*options, "--publications", "q.csv", "d.csv", *before]):
        address_table().to_csv("d.csv", index=False)
        ran_well(program, "rank", *args, *([] if "--force" in args else ["--force"]))
        assert inputs()["patents"] == ["p.parquet", "a.csv", "b.csv"]
    assert inputs()["publications"] == ["q.csv", "d.csv"]


def test_repeated_options():
    assert repeated(["--patents", "a", "-b", "-", "--out", "c", "d"]) == [
        *("--patents=a", "--patents=-b", "--patents=-", "--out", "c", "d"),
    ]
    assert repeated(["--patents", "a=b", "--deals=--x", "y", "--", "z"]) == [
        *("--patents=a=b", "--deals=--x", "--deals=y", "--", "z"),
    ]
    assert repeated([]) == [] and repeated(["--help"]) == ["--help"]


ODD = [
    "[red]a[bold]",
    "[]",
    "a b",
    "-a",
    "--a",
    "=",
    "ä",
    "a'b\"c",
    "*",
    "$HOME",
    "%s {0}",
    "#",
    "\udcff",
    "new\nline",
    "\x1b[31m",
]


@pytest.mark.parametrize("name", ODD, ids=ascii)
def test_odd_names_of_files(program, name):
    for ending in (".parquet", ".csv"):
        table = address_table(organization=name if name.isprintable() else f"org {name!a}")
        if ending == ".csv":
            table.to_csv("plain.csv", index=False)
        else:
            table.to_parquet("plain.parquet")
        Path(f"plain{ending}").rename(f"{name}{ending}")
    out = f"{name} out"
    said = ran_well(
        program, "rank", f"--patents={name}.parquet", f"--publications={name}.csv", "--density", 5, f"--out={out}"
    )
    if name.isprintable():
        assert name in said
    complete(Path(out))
    assert inputs(out) == {"patents": [f"{name}.parquet"], "publications": [f"{name}.csv"]}
    said = json.loads(
        ran_well(program, "rank", f"--patents={name}.csv", "--density", 5, f"--out={out}", "--force", "--json")
    )
    assert said["out"].startswith(name[0]) or not name.isprintable()
    program.refused(3, "rank", f"--patents={name}.tsv", "--out", "new", says="does not exist")
    program.refused(2, "rank", f"--patents={name}.csv", f"--out={out}", says="--force")


def test_odd_texts_in_the_table(program):
    address_table(country="[/red]", organization="[/x]\x1b[31m\nOrg").to_parquet("odd.parquet")
    out = ran_well(program, "rank", "--patents", "odd.parquet", "--density", 5, "--out", "out")
    assert len(out.splitlines()) == 3
    assert "[/red]" in out and r"[/x]\x1b[31m\nOrg" in out


def test_json(program):
    out = ran_well(program, "rank", "--patents", "p.parquet", "--density", 5, "--out", "out", "--json")

    def constant(name):
        raise AssertionError(name)

    said = json.loads(out, parse_constant=constant)
    assert (said["out"], said["clusters"], said["engine"], said["warnings"]) == ("out", 2, "native", [])
    assert said["totals"]["patents"] == 30 and len(said["ranking"]) == 2
    first = said["ranking"][0]
    assert list(first) == list(gpu_clusters.schema.RANKING)
    assert (
        first["name"] == "Windhoek"
        and first["rank"] == 1
        and first["previous_rank"] is None
        and first["population"] is None
    )
    assert type(first["locations"]) is int and type(first["total_share"]) is float
    assert "NA" in {part for row in said["ranking"] for part in row["economies"].split(" / ")}
    doctor = json.loads(ran_well(program, "doctor", "--json"), parse_constant=constant)
    assert doctor["versions"]["gpu-clusters"] and "native" in doctor["steps with --device auto"]["cluster"]


def test_no_cluster_is_a_result(program):
    for options, out in (([], "table"), (["--json"], "json")):
        ran = program(
            "rank", "--patents", "p.parquet", "--deals", "d.parquet", "--density", "1e300", "--out", out, *options
        )
        assert ran.code == 0 and ran.err.startswith("warning: no cluster: ")
        most = re.search(r"try a lower one, (.+) or less", ran.err)[1]
        assert complete(Path(out))["clusters"] == 0
        if options:
            assert json.loads(ran.out)["ranking"] == []
        else:
            assert ran.out == ""
    args = ("rank", "--patents", "p.parquet", "--deals", "d.parquet", "--out", "dense", "--force", "--density")
    assert program(*args, most).code == 0 and complete(Path("dense"))["clusters"] > 0
    assert program(*args, str(1.02 * float(most))).code == 0 and complete(Path("dense"))["clusters"] == 0


def test_extreme_settings(program):
    for number, options in enumerate(
        (
            ["--radius-km", "1e308", "--density", "1"],
            ["--radius-km", "1e-300", "--density", "1e-9"],
            ["--density", "1", "--area-degrees", "1e-300"],
            ["--density", "1", "--area-degrees", "1e300"],
            ["--density", "1", "--merge-km", "1e300"],
            ["--density", "1", "--merge-km", "0"],
            ["--density", "1", "--top", "1000000000"],
        )
    ):
        out = f"out{number}"
        ran = program("rank", "--patents", "p.parquet", "--deals", "d.parquet", "--out", out, *options)
        assert ran.code == 0 and "warning" not in ran.err, ran.err
        assert complete(Path(out))["clusters"] >= 1


def test_config(program):
    Path("sub").mkdir()
    Path("p.parquet").rename("sub/p.parquet")
    Path("q.csv").rename("sub/q.csv")
    address_table(applicant="Acme", when=2020).to_csv("sub/r.csv", index=False)
    text = """
        patents = "p.parquet"
        publications = ["q.csv", "r.csv"]
        out = "result"
        density = 5
        radius_km = 12.5
        merge_km = false
        weighting = "raw"
        top = 7
        [columns.patents]
        year = "year"
        [years]
        patents = [2020, 2020]
    """
    Path("sub/c.toml").write_text("\ufeff" + text, encoding="utf-8")
    ran_well(program, "rank", "--config", "sub/c.toml")
    settings = complete(Path("sub/result"))["settings"]
    assert settings["merge_km"] is None and settings["radius_km"] == 12.5 and settings["weighting"] == "raw"
    assert settings["top"] == 7 and settings["years"] == {"patents": [2020, 2020]}
    assert settings["columns"] == {"patents": {"year": "year"}}
    assert inputs("sub/result") == {"patents": ["sub/p.parquet"], "publications": ["sub/q.csv", "sub/r.csv"]}
    ran_well(
        program,
        *("rank", "--config", "sub/c.toml", "--radius-km", "3", "--merge-km", "4", "--out", "here"),
        *("--publications", "sub/r.csv", "--column", "publications.organization=applicant"),
        *("--column", "patents.country=country", "--years", "patents=:2021", "--weighting", "total-preserving"),
    )
    settings = complete(Path("here"))["settings"]
    assert settings["merge_km"] == 4 and settings["radius_km"] == 3 and settings["density"] == 5
    assert settings["weighting"] == "total-preserving" and settings["years"] == {"patents": [None, 2021]}
    assert settings["columns"]["patents"] == {"year": "year", "country": "country"}
    assert settings["columns"]["publications"] == {"organization": "applicant"}
    assert inputs("here")["publications"] == ["sub/r.csv"]
    assert pd.read_parquet("here/ranking.parquet")["top_organization"].tolist() == ["Acme", "Acme"]
    Path("sub/c.toml").write_text("merge_km = 3", encoding="utf-8")
    ran_well(
        program,
        "rank",
        "--config",
        "sub/c.toml",
        "--no-merge",
        "--patents",
        "sub/p.parquet",
        "--density",
        5,
        "--out",
        "no",
    )
    assert complete(Path("no"))["settings"]["merge_km"] is None


def test_absolute_paths_in_the_config(program):
    Path("sub").mkdir()
    config = {"patents": str(Path("p.parquet").resolve()), "out": str(Path("abs").resolve())}
    Path("sub/c.toml").write_text("density = 5\n" + "".join(f"{key} = '{value}'\n" for key, value in config.items()))
    assert tomllib.loads(Path("sub/c.toml").read_text())["patents"] == config["patents"]
    ran_well(program, "rank", "--config", "sub/c.toml")
    complete(Path("abs"))


def test_years_and_columns(program):
    address_table(applicant=["A", "B"] * 30, when=[2018, 2019, 2020] * 20).to_parquet("t.parquet")
    columns = ["--column", "patents.organization=applicant", "--column", "patents.year=when"]
    for window, rows in {"2019:": 40, ":2018": 20, "2018:2020": 60, "2019:2019": 20, ":": 60}.items():
        ran_well(
            program,
            *("rank", "--patents", "t.parquet", "--density", 1, "--out", "out", "--force", *columns),
            *("--years", f"patents={window}"),
        )
        assert complete(Path("out"))["totals"]["inventor_addresses"] == rows
    assert set(pd.read_parquet("out/ranking.parquet")["top_applicant"].dropna()) <= {"A", "B"}


def test_out_may_be_written_in_many_ways(program):
    Path("empty").mkdir()
    Path("link").symlink_to("real")
    for number, out in enumerate(
        ("new", "slash/", "a/b/c", "empty", "./dot", "link", program.here / "absolute", "a/b/../d")
    ):
        ran_well(program, "rank", "--patents", "p.parquet", "--density", 5, "--out", out)
        complete(Path(os.path.realpath(out)))
        program.refused(2, "rank", "--patents", "p.parquet", "--density", 5, "--out", out, says="--force")
        Path(out, "mine.txt").write_text("mine")
        ran_well(program, "rank", "--patents", "p.parquet", "--density", 5 + number, "--out", out, "--force")
        assert complete(Path(os.path.realpath(out)), {"mine.txt"})["settings"]["density"] == 5 + number
    assert not [name for name in tree(program.here) if "partial" in name]


def test_out_is_the_current_folder(program, monkeypatch):
    Path("cwd").mkdir()
    monkeypatch.chdir("cwd")
    ran_well(program, "rank", "--patents", "../p.parquet", "--density", 5, "--out", ".")
    complete(Path())
    complete(program.here / "cwd")


def test_doctor(program):
    out = ran_well(program, "doctor")
    for word in ("versions", "devices", "engines", "python", "numpy", "cuml", "native", "cpu", "gpu"):
        assert word in out
    assert program("doctor").err == ""


def test_version(program):
    assert ran_well(program, "--version") == f"gpu-clusters {gpu_clusters.__version__}\n"


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("command", [[], ["rank"], ["demo"], ["doctor"]], ids=str)
def test_help(program, monkeypatch, command, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    out = ran_well(program, *command, "--help")
    assert max(map(len, out.splitlines())) <= columns
    text = " ".join(out.replace("│", " ").split())
    assert "<bool>" not in text or not command
    if columns > 40:
        for word in {
            (): ["rank", "demo", "doctor", "--version", "innovation clusters"],
            ("rank",): [
                *(
                    "--patents",
                    "--publications",
                    "--deals",
                    "--column",
                    "--years",
                    "--config",
                    "--radius-km",
                    "--density",
                ),
                *(
                    "--weighting",
                    "--merge-km",
                    "--no-merge",
                    "--area-degrees",
                    "--border",
                    "--crs",
                    "--device",
                    "--engine",
                ),
                *("--out", "--top", "--force", "--json", "(default 15)", "(default 4500)", "Exit codes", "Example:"),
            ],
            ("demo",): ["--scale", "--seed", "--out"],
            ("doctor",): ["--json"],
        }[tuple(command)]:
            assert word in text, word


def test_tables_on_screens_of_any_width(program, monkeypatch):
    import gpu_clusters_cli.output
    from rich.console import Console

    address_table(organization="A very long name of an organization indeed").to_parquet("p.parquet")
    for width, has in {40: "share %", 80: "economies", 120: "publications", 160: "top applicant"}.items():
        monkeypatch.setattr(
            gpu_clusters_cli.output, "_console", lambda width=width: Console(width=width, highlight=False)
        )
        out = ran_well(program, "rank", "--patents", "p.parquet", "--density", 5, "--out", f"out{width}")
        assert max(map(len, out.splitlines())) <= width and len(out.splitlines()) == 3 and has in out


def test_start_up_is_light(tmp_path):
    code = "import sys\nfrom gpu_clusters_cli.main import run\nsys.argv = ['gpu-clusters', *sys.argv[1:]]\n"
    code += (
        "try:\n    run()\nfinally:\n    print(*sorted({name.split('.')[0] for name in sys.modules}), file=sys.stderr)\n"
    )
    for args in (
        ["--help"],
        ["rank", "--help"],
        ["--version"],
        ["rank", "--out", "x"],
        ["rank", "--patents", "x", "--out", "x", "--top", "0"],
    ):
        done = subprocess.run(
            [sys.executable, "-c", code, *args], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        loaded = set(done.stderr.splitlines()[-1].split())
        heavy = {"numba", "pandas", "numpy", "pyarrow", "sklearn", "scipy", "geopandas", "shapely", "pyproj"} & loaded
        assert "gpu_clusters_cli" in loaded and not heavy, (args, heavy)


def test_streams_of_a_process(tmp_path, some_files):
    args = ["rank", *some_files, "--out", "out"]
    ran = process(*args, "--json", cwd=tmp_path)
    assert ran.code == 0 and json.loads(ran.out)["out"] == "out" and ran.err == ""
    colours = {"FORCE_COLOR": "1", "TERM": "xterm", "TTY_COMPATIBLE": "1"}
    ran = process(*args, "--force", cwd=tmp_path, env=colours)
    assert ran.code == 0 and len(ran.err.splitlines()) == 4 and "read patents" not in ran.err
    latin = {"PYTHONIOENCODING": "ascii", "NO_COLOR": "1"}
    ran = process(*args, "--force", "--json", cwd=tmp_path, env=latin)
    assert ran.code == 0 and ran.out.isascii() and json.loads(ran.out)["clusters"] > 1
    ran = process(*args, "--force", cwd=tmp_path, env=latin)
    assert ran.code == 0 and ran.out.isascii() and "\x1b" not in ran.out


def on_a_terminal(args: list[str], cwd: Path, **env: str) -> tuple[int, bytes, bytes]:
    """Run with stderr on a terminal: exit code, stdout, and what the terminal got; ends it when it says "cluster"."""
    import pty

    ours, theirs = pty.openpty()
    stop = env.pop("stop", "").encode()
    env = (
        {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR")}
        | {"TERM": "xterm"}
        | env
    )
    with subprocess.Popen([*COMMAND, *args], cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=theirs) as running:
        os.close(theirs)
        screen, ended = b"", False
        while True:
            if select.select([ours], [], [], 0.05)[0]:
                try:
                    got = os.read(ours, 1 << 16)
                except OSError:
                    break
                if not got:
                    break
                screen += got
                if stop and stop in screen and not ended:
                    running.send_signal(signal.SIGINT)
                    ended = True
        out = running.stdout.read()
    os.close(ours)
    return running.returncode, out, screen


def test_progress_on_a_terminal(tmp_path, some_files):
    args = ["rank", *some_files, "--force", "--out", "out"]
    code, out, screen = on_a_terminal(args, tmp_path)
    assert code == 0 and out.startswith(b"rank") and b"\x1b" not in out
    for stage in (b"read patents", b"cluster", b"write"):
        assert stage in screen
    bars, said = screen.split(b"\x1b[?25h")  # the cursor is back
    assert b"\x1b[?25l" in bars and said.startswith(b"\r\x1b[1A\x1b[2K"), "the last bar is wiped out"
    assert said.count(b"\n") == 4 and b"clusters (" in said
    code, out, screen = on_a_terminal(args, tmp_path, TERM="dumb")
    assert code == 0 and b"\x1b" not in screen and screen.count(b"\n") == 4
    code, out, screen = on_a_terminal(args, tmp_path, stop="read patents")
    if code:
        assert (
            code == 130
            and out == b""
            and screen.endswith(b"\r\x1b[2K\x1b[?25herror: interrupted; nothing was written\r\n")
        )
    complete(tmp_path / "out")
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_ended_at_any_moment(tmp_path, some_files, number):
    args = ["rank", *some_files, "--force", "--out", "out"]
    rng = random.Random(number)
    began = time.perf_counter()
    assert process(*args, cwd=tmp_path).code == 0
    took = time.perf_counter() - began
    (tmp_path / "out" / "mine.txt").write_text("mine")
    complete(tmp_path / "out", {"mine.txt"})
    turns = 3
    for turn in range(turns):
        with subprocess.Popen(
            [*COMMAND, *args], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as running:
            time.sleep(took * (turn + 0.3 + 0.7 * rng.random()) / turns)
            running.send_signal(number)
            said = running.communicate()[1].decode()
        complete(tmp_path / "out", {"mine.txt"})
        if number != signal.SIGKILL:
            assert running.returncode in (130, 0), said
            assert running.returncode == 0 or said.splitlines()[-1].startswith("error: interrupted"), said
            assert "Traceback" not in said
            assert list(tmp_path.iterdir()) == [tmp_path / "out"]
    assert process(*args, cwd=tmp_path).code == 0
    assert list(tmp_path.iterdir()) == [tmp_path / "out"]


def test_a_folder_for_the_compiled_kernels(tmp_path, monkeypatch):
    from gpu_clusters import compiled

    monkeypatch.setattr(compiled, "_writable", lambda _: False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    compiled.keep_kernels()
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)  # anybody could put a program there
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    compiled.keep_kernels()
    assert os.environ["NUMBA_CACHE_DIR"] != str(folder)
    monkeypatch.setenv("NUMBA_CACHE_DIR", "mine")
    compiled.keep_kernels()
    assert os.environ["NUMBA_CACHE_DIR"] == "mine"
