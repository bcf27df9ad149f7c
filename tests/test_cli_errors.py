"""The command line program on bad options, missing devices and errors from within."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("good_files")


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
        (["--years", "patents=2018:2020", "--years", "patents=2021:"], "two --years are about patents: give one"),
        (
            ["--column", "patents.lon=x", "--column", "patents.lon=y"],
            "two --column say what patents.lon is called: 'x' and",
        ),
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


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["rank", "--density", "4,500"], "'4,500' is not a number"),
        (["rank", "--radius-km", "15km"], "'15km' is not a number"),
        (["rank", "--top", "1.5"], "'1.5' is not a whole number, 1 or more"),
        (["sweep", "--check", "-1"], "'-1' is not a whole number, 0 or more"),
        (["compare", "a", "b", "--top", "0"], "'0' is not a whole number, 1 or more"),
        (["report", "a", "--top", "ten"], "'ten' is not a whole number, 1 or more"),
        (["demo", "--scale", "2 %"], "'2 %' is not a number"),
        (["geocode", "a", "--city", "c", "--country", "c", "--out", "o", "--rate", ""], "'' is not a number"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_numbers_that_are_none_are_shown(program, args, says):
    line = program.refused(2, *args, says=says)
    assert f"for '{next(arg for arg in args[::-1] if arg.startswith('--'))}'" in line


@pytest.mark.parametrize("command", ["rank", "sweep"])
@pytest.mark.parametrize("option", [["--years", "deals=2019:"], ["--column", "deals.country=land"]], ids=" ".join)
def test_options_about_a_table_that_is_not_there(program, command, option):
    given = [command, "--patents", "patents.parquet", "--radius-km", 15, "--density", 5, "--out", "out"]
    program.refused(2, *given, *option, says=f"{option[0]} is about deals, and there is no --deals")
    Path("c.toml").write_text('patents = "patents.parquet"\n[years]\ndeals = "2019:"\n[columns.deals]\ncountry = "c"')
    assert program(command, "--config", "c.toml", *given[3:]).code == 0  # a file for several runs


def test_inputs_only_ranks_nothing(program):
    for option in (["--device", "cpu"], ["--engine", "native"], ["--json"]):
        program.refused(2, "demo", "--inputs-only", *option, says="--inputs-only ranks nothing")


def test_wrong_rasters_and_polygons_are_told_before_the_tables_are_read(program):
    given = ["rank", "--patents", "no.parquet", "--out", "out"]
    Path("empty").mkdir()
    program.refused(3, *given, "--population", "no.tif", says="no.tif: does not exist")
    program.refused(3, *given, "--regions", "no.gpkg", says="no.gpkg: cannot be read as polygons: No such file or dir")
    program.refused(3, *given, "--boundary", "hulls", says="'hulls' is neither area, hull or concave nor a file")
    program.refused(3, *given, "--boundary", "empty", says="being in a supported file format; check the file")
    program.refused(
        3, *given, "--regions", "patents.parquet", says="Missing geo metadata in Parquet/Feather file; check"
    )
    program.refused(3, *given, "--names", "no.csv", says="no.csv: the table of names cannot be read: No such file")


def test_missing_options(program):
    program.refused(2, "rank", says="--out")
    program.refused(2, "geocode", "a", says="Missing option '--city'; see gpu-clusters geocode --help")
    program.refused(2, "rank", "--out", "out", says="--patents")
    program.refused(2, "rank", "--out", "out", "--deals", "deals.parquet", says="--patents")
    program.refused(2, "rank", "--patents", "patents.parquet", says="--out")


def test_bad_commands(program):
    for args, where in (("rnak",), ""), (("--verbose",), ""), (("rank", "--verbose"), "rank "):
        line = program.refused(2, *args, says=args[-1])
        assert line.endswith(f"; see gpu-clusters {where}--help\n") and ".;" not in line
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
    program.refused(
        4, "demo", "--scale", "0.005", "--out", "out", *options, says="not available"
    )  # before the world is made


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


@pytest.mark.filterwarnings("always:two")
def test_what_libraries_warn_of_is_one_line(program, monkeypatch):
    import gpu_clusters.pipeline

    rank, before = gpu_clusters.pipeline.rank, warnings.showwarning

    def warned(*args, **options):
        warnings.warn("two\nlines", stacklevel=1)
        return rank(*args, **options)

    monkeypatch.setattr(gpu_clusters.pipeline, "rank", warned)
    ran = program("rank", "--patents", "patents.parquet", "--density", 1, "--out", "out")
    assert ran.code == 0 and ran.err.splitlines()[0] == "warning: two\\nlines", ran
    assert warnings.showwarning is before


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
