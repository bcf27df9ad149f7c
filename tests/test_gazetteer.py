"""The gazetteer: the packaged one and the user's own file."""

import pytest

from gpu_clusters.errors import InputError
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
