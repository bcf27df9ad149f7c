"""The gazetteer: the packaged one and the user's own file."""

import json
import os
from types import SimpleNamespace

import pytest

from gpu_clusters.errors import InputError
from gpu_clusters.io import gazetteer as module
from gpu_clusters.io.gazetteer import COLUMNS, gazetteer, towns

LINE = "2911298\tHamburg\tHamburg\tHamburgo,Hambourg\t53.55073\t9.99302\tP\tPPLA\tDE\t\t04\t00\t00000\t02\t1845229\t\t10\tEurope/Berlin\t2024-01-01\n"  # noqa: E501
NAMIBIA = '3352136\tWindhoek "W"\tWindhoek\tNA\t-22.55941\t17.08323\tP\tPPLC\tNA\t\t21\t\t\t\t268132\t\t1721\tAfrica/Windhoek\t2024-01-01\n'  # noqa: E501


def test_the_packaged_gazetteer_has_the_worlds_cities():
    places = gazetteer()
    assert list(places.columns) == list(COLUMNS)
    assert len(places) > 200_000 and places["geonameid"].is_monotonic_increasing
    paris = places[(places["name"] == "Paris") & (places["country"] == "FR")].iloc[0]
    assert paris["population"] > 2e6 and abs(paris["lat"] - 48.85) < 0.1 and "Parigi" in paris["alternates"]
    assert (places["country"] == "NA").sum() > 10


def test_one_copy_of_a_version_is_kept(tmp_path, monkeypatch):
    """However often and at whatever time the package is installed; a copy that is damaged is made anew."""
    place = {"geonameid": 1, "name": "Windhoek", "countrycode": "NA", "admin1code": "21", "longitude": 17.08}
    place |= {"latitude": -22.56, "population": 268132, "alternatenames": ["a", "b"]}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_packaged", module._packaged.__wrapped__)  # else a process reads it once
    kept = tmp_path / "cache" / "gpu-clusters"
    for number, (release, copies) in enumerate((("3.0.1", 1), ("3.0.1", 1), ("3.1.0", 2))):
        source = tmp_path / str(number) / "data" / "cities15000.json"
        source.parent.mkdir(parents=True)
        source.write_text(json.dumps({"1": place}))
        os.utime(source, (number, number))
        package = SimpleNamespace(submodule_search_locations=[str(source.parents[1])])
        monkeypatch.setattr(module, "find_spec", lambda _, package=package: package)
        monkeypatch.setattr(module, "version", lambda _, release=release: release)
        assert towns()["name"].tolist() == ["Windhoek"]
        assert len(list(kept.iterdir())) == copies
    for copy in kept.iterdir():
        copy.write_bytes(b"damaged")
    assert towns()["name"].tolist() == ["Windhoek"]
    assert sum(copy.read_bytes() != b"damaged" for copy in kept.iterdir()) == 1


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
