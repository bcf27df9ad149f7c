"""The user's own names of clusters: what they replace, what is told of them, and what is refused."""

import json

import pandas as pd
import polars
import pyarrow
import pytest
from named import GAZETTEER, frame, named, whole
from program import Program, address_table

from gpu_clusters.errors import InputError, UsageError
from gpu_clusters.io.overrides import read_overrides
from gpu_clusters.steps import rename
from gpu_clusters.steps.spelling import plainly

CAMBRIDGES = [(0.12, 52.2, 0, 5), (-71.1, 42.37, 1, 6), (-70.9, 42.36, 1, 10), (11.57, 48.14, 2, 8)]


@pytest.mark.parametrize(
    ("overrides", "names"),
    [
        ({"cambridge": "Silicon Fen"}, ["Silicon Fen", "Boston–Cambridge", "München"]),  # the whole name comes first
        ({"boston-cambridge": "Greater Boston"}, ["Cambridge", "Greater Boston", "München"]),
        ({"Boston": "Hub", "Munich": "Munich"}, ["Cambridge", "Hub", "Munich"]),  # another name of the place
        ({"Cantabrigia": "Fen"}, ["Fen", "Boston–Cambridge", "München"]),
        ({"Boston": "Cambridge"}, ["Cambridge (2)", "Cambridge", "München"]),  # the user's name wins
        (
            pd.DataFrame({"place": ["Cambridge"], "name": ["Kendall"], "country": ["us"]}),
            ["Cambridge", "Kendall", "München"],
        ),
        (
            pd.DataFrame({"lon": [-348.43, 0], "lat": [48.2, 0], "name": ["Isar", "Nowhere"]}),
            ["Cambridge", "Boston–Cambridge", "Isar"],
        ),
    ],
)
def test_names_of_the_user(overrides, names):
    assert named(CAMBRIDGES, GAZETTEER, overrides) == names


def test_rows_for_no_cluster_are_told():
    result = whole(CAMBRIDGES, GAZETTEER, {"Paris": "Paname"})
    assert result.warnings == [
        "names (data frame): row 1: there is no cluster of 'Paris': the name 'Paname' is not used"
    ]
    assert whole([], GAZETTEER, {"Paris": "Paname"}).warnings == result.warnings


def test_names_are_spelled_plainly_once(monkeypatch):
    spelled = []
    monkeypatch.setattr(rename, "plainly", lambda text: spelled.append(text) or plainly(text))
    assert len(whole(CAMBRIDGES, GAZETTEER, {f"nowhere {i}": str(i) for i in range(50)}).warnings) == 50
    assert len(spelled) < 50 + 20  # the rows themselves, and the places' names


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            {"Boston": "A", "Boston–Cambridge": "B"},
            "row 2: names the cluster 'Boston–Cambridge' a second time, after row 1",
        ),
        ({"Boston": "A", "Munich": "A"}, "rows 1 and 2 call two clusters 'A'"),
    ],
)
def test_contradicting_names(overrides, said):
    with pytest.raises(InputError, match=said):
        named(CAMBRIDGES, GAZETTEER, overrides)


def test_an_ambiguous_place():
    points = [(0.12, 52.2, 0, 5), (0.5, 52.3, 0, 9), (-71.1, 42.37, 1, 9), (-70.9, 42.36, 1, 10)]
    table = pd.concat([GAZETTEER, frame(("Ely", "GB", "ENG", 0.5, 52.3, 20_000))], ignore_index=True)
    with pytest.raises(
        InputError, match="row 1, column place: there are several 'Cambridge', in GB, US; add a column country"
    ):
        named(points, table, {"Cambridge": "X"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("place;name\nParis;P\n", "unknown column 'place;name'"),
        ("place\nParis\n", "column 'name' is missing"),
        ("name\nParis\n", "column 'place' is missing"),
        ("", "column 'name' is missing"),
        ("lon,name\n1,Paris\n", "lon and lat are needed both"),
        ("place,name,name\na,b,c\n", "column 'name' is there twice"),
        ("place,name\nParis\n", "row 1 has 1 cells where the header has 2"),
        ("place,name\nA,B\n,C\n", "row 2, column place: is empty"),
        ("\n\nplace,name\nA,B\n,C\n", "row 2, column place: is empty"),
        ("place,name\nA,B\nC,\n", "row 2, column name: is empty"),
        ("lon,lat,name\n1,99,C\n", "row 1, column lat: must be degrees from -90 to 90, not '99'"),
        ("lon,lat,name\n1,,C\n", "row 1, column lat: must be degrees"),
        ("lon,lat,name\nx,1,C\n", "row 1, column lon: must be degrees"),
        ('place,name\n"A,B\n', "cannot be read"),
    ],
)
def test_files_of_names_that_are_refused(tmp_path, text, said):
    (tmp_path / "names.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"names\.csv") as caught:
        read_overrides(tmp_path / "names.csv")
    assert said in str(caught.value)


def test_files_of_names(tmp_path):
    (tmp_path / "names.csv").write_bytes('\ufeffPlace , Name\n"São Paulo"," S, P "\n\n'.encode())
    (tmp_path / "names.tsv").write_text("place\tname\nSão Paulo\tS, P\n", encoding="utf-8")
    for name in ("names.csv", "names.tsv"):
        found = read_overrides(tmp_path / name)
        assert [(row.place, row.name) for row in found.rows] == [("São Paulo", "S, P")]
        assert found.source.rows == 1 and len(found.source.sha256) == 64
    (tmp_path / "names.csv").write_bytes(b"place,name\n\xff,a\n")
    for bad in ("names.csv", "missing.csv"):
        with pytest.raises(InputError, match=bad):
            read_overrides(tmp_path / bad)


@pytest.mark.parametrize("kind", [polars.DataFrame, pyarrow.table])
def test_frames_of_names(kind):
    rows = read_overrides(
        kind({"place": ["Paris", None], "name": ["P", "Q"], "lon": [None, 1.5], "lat": [None, 2.0]})
    ).rows
    assert [(row.place, row.name, row.at) for row in rows] == [("Paris", "P", None), ("", "Q", (1.5, 2.0))]


def test_lists_are_no_names():
    for wrong in (["Paris", "Lutetia"], pd.Series(["Paris", "Lutetia"])):
        with pytest.raises(
            InputError, match=r"^names \(data frame\): row 2 holds what is neither text nor number; give"
        ):
            read_overrides({"Roma": "Rome", "Paris": wrong})


@pytest.mark.parametrize("wrong", [5, True, ["Paris"], polars.Series(["Paris"])], ids=repr)
def test_names_of_a_kind_that_is_none(wrong):
    with pytest.raises(
        UsageError, match="names: a path, a data frame, a dict of place to name, or False for none, not"
    ):
        read_overrides(wrong)


def test_names_on_the_command_line(tmp_path, monkeypatch, capsys):
    program = Program(monkeypatch, capsys, tmp_path)
    address_table().to_csv("p.csv", index=False)
    (tmp_path / "names.csv").write_text("place,name\nParis,Lutetia\n", encoding="utf-8")
    (tmp_path / "c.toml").write_text('patents = "p.csv"\nnames = "names.csv"\ndensity = 10\nout = "b"\n')
    for args in (("--patents", "p.csv", "--names", "names.csv", "--density", 10, "--out", "a"), ("--config", "c.toml")):
        assert program("rank", *args).code == 0
    for out in ("a", "b"):
        assert set(pd.read_csv(tmp_path / out / "ranking.csv")["name"]) == {"Lutetia", "Windhoek"}
    assert json.loads((tmp_path / "a" / "manifest.json").read_text())["inputs"][-1]["name"] == "names.csv"
    (tmp_path / "names.csv").write_text("place,name\nParis,\n", encoding="utf-8")
    program.refused(3, "rank", *("--patents", "p.csv", "--names", "names.csv", "--out", "x"), says="names.csv: row 1")
