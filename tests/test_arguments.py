"""Arguments that make no sense are refused, most of them before anything is read."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import shapely

import gpu_clusters
from gpu_clusters import UsageError, report
from gpu_clusters.kernels import nodes
from gpu_clusters.world import make_world

UNREAD = "no/such/file.parquet"
DEALS = pd.DataFrame({"lon": [0.0], "lat": [0.0]})
ONE = [shapely.box(0, 0, 1, 1)]
NOTHING = "there is nothing to cluster: give patents, publications or both"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, NOTHING),
        ({"deals": DEALS}, NOTHING),
        ({"deals": DEALS, "regions": ONE}, NOTHING),
        ({"patents": UNREAD, "radius": 3}, "unknown setting 'radius': there are radius_km, density, weighting, "),
        ({"patents": UNREAD, "density": 0}, "density must be a finite number above 0, not 0"),
        ({"patents": UNREAD, "regions": ONE, "boundary": "hull"}, "regions have their own boundaries: "),
        ({"patents": UNREAD, "regions": ONE, "boundary": "some.gpkg"}, "regions have their own boundaries: "),
        ({"patents": UNREAD, "region_name": "id"}, "region_name is the column that names regions: "),
        ({"patents": UNREAD, "regions": ONE, "names": {"Paris": "Paname"}}, "regions have their own names: "),
        ({"patents": UNREAD, "names": 3}, "names"),
    ],
    ids=str,
)
def test_arguments_of_rank(arguments, says):
    with pytest.raises(UsageError) as refused:
        gpu_clusters.rank(**arguments)
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({}, NOTHING),
        ({"deals": DEALS}, NOTHING),
        ({"patents": UNREAD, "radius": 3}, "unknown setting 'radius': there are radius_km, density, weighting, "),
        ({"patents": UNREAD, "check": -1}, "check must be a number of settings, 0 or more, not -1"),
        ({"patents": UNREAD, "weighting": "raw,raw"}, "weighting must name each of its values once, not 'raw,raw'"),
        ({"patents": UNREAD, "weighting": []}, "weighting must name each of its values once, not []"),
        ({"patents": UNREAD, "weighting": "raw,x"}, "weighting must be one or more of inventor-equivalent, "),
        ({"patents": UNREAD, "density": []}, "density has no values"),
        ({"patents": UNREAD, "density": "5:1:1"}, "density '5:1:1' runs downwards: give the smaller value first"),
        ({"patents": UNREAD, "density": "1:2"}, "density '1:2' is not start:stop:step, as in 10:20:1"),
        (
            {"patents": UNREAD, "density": "1:10001:1"},
            "density '1:10001:1' has 10,001 values: at most 10,000 make sense",
        ),
        ({"patents": UNREAD, "density": range(1, 10002)}, "density has 10,001 values: at most 10,000 make sense"),
        ({"patents": UNREAD, "baseline": (1, 2, 3)}, "baseline must be a radius and a density, as in 15,4500, not "),
        ({"patents": UNREAD, "baseline": "15"}, "baseline must be a radius and a density, as in 15,4500, not '15'"),
        ({"patents": UNREAD, "baseline": (1, 0)}, "baseline must be numbers above 0, as in 15,4500, not 0"),
        ({"patents": UNREAD, "baseline": 15}, "baseline must be a radius and a density, as in 15,4500, not 15"),
        ({"patents": UNREAD, "engine": "sklearn"}, "a sweep runs on engine 'native', not 'sklearn'; check compares it"),
        ({"patents": UNREAD, "merge": "no"}, "merge must be True or False, not 'no'"),
        ({"patents": UNREAD, "resume": True}, "resume takes finished radii from the folder keep: give keep too"),
        ({"patents": UNREAD, "keep": 3}, "keep must be a path, not int"),
        ({"patents": DEALS.assign(doc_id=1), "dask": 3}, "dask must be a scheduler's address, local:N or a "),
    ],
    ids=str,
)
def test_arguments_of_sweep(arguments, says):
    with pytest.raises(UsageError) as refused:
        gpu_clusters.sweep(**{"radius_km": 15, "density": 3} | arguments)
    assert str(refused.value).startswith(says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"types": "article"}, "types must be a list of texts, not 'article'"),
        ({"types": 3}, "types must be a list of texts, not 3"),
        ({"types": [3]}, "types must be a list of texts, not [3]"),
        ({"years": 2015}, "years must be (first, last), whole numbers or None, not 2015"),
        ({"years": ("2015", 2016)}, "years must be (first, last), whole numbers or None, not ('2015', 2016)"),
        ({"years": (2016, 2015)}, "years run from 2016 to 2015: the first year must not be after the last"),
        ({"paths": None}, "each of paths must be a path, not NoneType"),
        ({"paths": [3]}, "each of paths must be a path, not int"),
        ({"paths": []}, "paths is empty: give the folders or files of openalex"),
        ({"paths": ""}, "each of paths must be a path, not an empty name"),
        ({"mapping": 3}, "mapping must be a path, not int"),
        ({"out": 3}, "the output folder must be a path, not int"),
        ({"on_error": "x"}, "on_error must be fail or skip, not 'x'"),
        ({"source": "geoc-inv", "types": []}, "types does not go with geoc-inv; it is for openalex, patentsview, "),
        ({"source": "table", "retracted": True}, "retracted does not go with table; it is for openalex"),
        ({"encoding": "utf-8"}, "encoding does not go with openalex; it is for crunchbase"),
        ({"mapping": "x.toml"}, "mapping does not go with openalex; it is for table"),
        (
            {"source": "table"},
            "table needs a TOML file that names its columns: give --mapping FILE.toml (in Python ",
        ),
    ],
    ids=str,
)
def test_arguments_of_convert(arguments, says, tmp_path):
    with pytest.raises(UsageError) as refused:
        gpu_clusters.convert(**{"source": "openalex", "paths": UNREAD, "out": tmp_path / "new"} | arguments)
    assert str(refused.value).startswith(says)


def test_texts_name_options_as_python_does_too():
    """Those of the command geocode alone are left out, and colours of a page."""
    home = Path(gpu_clusters.__file__).parent
    shell = [home / "geocoding" / f"{name}.py" for name in ("files", "target", "writing")] + [home / "report/html.py"]
    lines = [
        (str(path.relative_to(home)), line.strip())
        for path in sorted(set(home.rglob("*.py")) - set(shell))
        for line in path.read_text().splitlines()
        if re.search("--[a-z]", line)
    ]
    assert len(lines) > 3
    assert not [line for line in lines if "in Python " not in line[1] and "merge=True (--merge)" not in line[1]]


_OTHERS = ("names", "previous", "regions")


@pytest.mark.parametrize(
    "call",
    [
        lambda swept: swept.write(3),
        lambda swept: swept.to_netcdf(None),
        lambda _: gpu_clusters.geocode(DEALS.assign(city="Paris", country="FR")[["city", "country"]], gazetteer=3),
        lambda _: report.write(3, "new"),
        lambda _: report.write("there", 3),
        lambda swept: report.read(swept),
        lambda _: report.read(""),  # not the folder that one is in
        lambda _: make_world(""),
        lambda _: gpu_clusters.compare("", ""),
        *(lambda _, name=name: gpu_clusters.rank(DEALS.assign(doc_id=1), **{name: ""}) for name in _OTHERS),
    ],
    ids=["write", "to_netcdf", "gazetteer", "result", "report", "read", "nothing", "world", "compare", *_OTHERS],
)
def test_what_is_no_path(call, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    swept = gpu_clusters.sweep(DEALS.assign(doc_id=1), radius_km=5, density=1)
    with pytest.raises(UsageError, match=r" must be a path, not (int|NoneType|SweepResult|an empty name)$"):
        call(swept)
    assert not list(tmp_path.iterdir())


def takers_of_contents() -> dict[str, Callable]:
    """The public functions of figures, maps and tables of a report."""
    homes = (report.figures, report.maps, report.tables)
    made = [make for home in homes for make in vars(home).values() if getattr(make, "__module__", "") == home.__name__]
    functions = [make for make in made if inspect.isfunction(make) and not make.__name__.startswith("_")]
    return {make.__name__: make for make in functions if next(iter(inspect.signature(make).parameters)) == "contents"}


@pytest.fixture(scope="module")
def no_contents() -> list:
    places = DEALS.assign(doc_id=1)
    ranked, swept = gpu_clusters.rank(places, density=1), gpu_clusters.sweep(places, radius_km=5, density=1)
    return [None, 3, "result", ranked.ranking, ranked, swept, gpu_clusters.compare(ranked, ranked)]


@pytest.mark.parametrize("make", takers_of_contents().values(), ids=takers_of_contents())
def test_what_is_no_contents(make, no_contents):
    assert len(takers_of_contents()) > 20
    for wrong in no_contents:
        says = rf"^contents must be what report.read\(folder\) returns, not {type(wrong).__name__}; "
        with pytest.raises(UsageError, match=says):
            make(wrong)
        with pytest.raises(UsageError, match=says):
            make(contents=wrong)
    with pytest.raises(UsageError, match=r"^contents must be what"):
        report.maps.region(DEALS, (0, 0, 1, 1), "somewhere")


def test_results_of_other_kinds(no_contents):
    """A table, a sweep and a comparison where a result is asked for, and a result where a sweep is."""
    *_, table, ranked, swept, compared = no_contents
    for wrong in (None, table, swept, compared):
        for call in (
            lambda wrong: gpu_clusters.compare(wrong, ranked),
            lambda wrong: gpu_clusters.compare(ranked, wrong),
            lambda wrong: report.write(wrong, "new"),
            report.read,
            *([lambda wrong: gpu_clusters.rank(DEALS.assign(doc_id=1), previous=wrong)] if wrong is not None else ()),
        ):
            with pytest.raises(UsageError, match=f"not {type(wrong).__name__}$"):
                call(wrong)
    with pytest.raises(UsageError, match=r"must be a path, not Result$"):
        report.write(ranked, "new", sweep=ranked)


def test_a_cube_that_cannot_be_written(tmp_path):
    swept = gpu_clusters.sweep(DEALS.assign(doc_id=1), radius_km=5, density=1)
    with pytest.raises(UsageError, match="is no folder"):
        swept.to_netcdf(tmp_path / "missing" / "sweep.nc")
    swept.to_netcdf(tmp_path / "sweep.nc")
    before = (tmp_path / "sweep.nc").read_bytes()
    swept.to_netcdf(tmp_path / "sweep.nc")
    assert (tmp_path / "sweep.nc").read_bytes() == before and len(list(tmp_path.iterdir())) == 1
    with pytest.raises(UsageError, match="is a folder: a file is needed"):
        swept.to_netcdf(tmp_path)


def test_more_clusters_of_all_densities_than_have_numbers(monkeypatch):
    """Two places that are clusters of their own at three densities: six."""
    places = pd.DataFrame({"doc_id": range(6), "lon": [0.0, 1.0] * 3, "lat": 0.0})
    for most, fits in ((6, True), (5, False)):
        monkeypatch.setattr(nodes, "MOST", most)
        if fits:
            assert gpu_clusters.sweep(places, radius_km=5, density=[1, 2, 3]).settings["clusters"].tolist() == [2] * 3
        else:
            with pytest.raises(UsageError, match=r"at one radius are 6, more than can be numbered \(5\): take fewer"):
                gpu_clusters.sweep(places, radius_km=5, density=[1, 2, 3])


@pytest.mark.parametrize("names", [None, False])
def test_regions_may_be_given_with_no_names(names):
    table = pd.DataFrame({"doc_id": [1], "lon": [0.5], "lat": [0.5]})
    assert gpu_clusters.rank(table, regions=ONE, names=names).ranking["locations"].tolist() == [1]
