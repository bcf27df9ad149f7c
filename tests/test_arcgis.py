"""The fallback behind GeoNames: against a server on this machine, with a clock that jumps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from arcgis import MALFORMED, SLOW, Time, candidate, error, serving
from arcgis_cases import ANSWERS, BUSY, EXPORT, ROWS, TOKEN, client
from exports import geonames

import gpu_clusters
from gpu_clusters.errors import UsageError
from gpu_clusters.geocoding.arcgis import ArcGIS, ServiceError

pytestmark = pytest.mark.usefixtures("direct")
WANTED = ["Atlantis, France", "Bree, United Kingdom", "Gondor, Namibia", "Mordor, Canada", "Shire, United Kingdom"]
WANTED.append("Springfield, Missouri, United States")


@pytest.fixture
def export(tmp_path):
    return geonames(tmp_path / "cities500.txt", EXPORT)


def test_each_address_is_asked_once_and_patiently(tmp_path, export):
    moment = Time()
    with serving(ANSWERS) as service:
        with client(service, tmp_path, moment) as arcgis:
            found = gpu_clusters.geocode(ROWS, admin="state", gazetteer=export, fallback=arcgis)
        asked = list(service.queries)
        assert list(dict.fromkeys(asked)) == WANTED and asked.count("Atlantis, France") == len(BUSY) + 1
        assert len(asked) == len(WANTED) + len(BUSY) == arcgis.asked and arcgis.answered == 5
        assert all(given["token"] == TOKEN and given["forStorage"] == "true" for given in service.given)
        assert [wait for wait in moment.waits if wait >= 1] == [7, 9, 4, 8, 16, 32, 60, 60]
        assert found["accuracy"].tolist() == [
            *("city", "city", "ambiguous", "not found", "city", "city"),
            *("ambiguous", "area", "no city", "area", "refused", "city"),
        ]
        at = {0: -89.6, 1: 20, 4: 20, 5: -93.3, 11: 20}
        assert {i: lon for i, lon in found["lon"].items() if lon == lon} == at
        assert found["geocode"].dropna().to_dict() == dict.fromkeys(at, "arcgis") | {0: "name+admin1"}

        with client(service, tmp_path) as arcgis:
            shuffled = ROWS.sample(frac=1, random_state=1)
            again = gpu_clusters.geocode(shuffled, admin="state", gazetteer=export, fallback=arcgis)
        pd.testing.assert_frame_equal(again.sort_index(), found)
        assert service.queries[len(asked) :] == ["Bree, United Kingdom"] and arcgis.kept == 5  # no answer, nothing paid
    for path in tmp_path.iterdir():
        assert b"secret" not in path.read_bytes()


def test_rows_without_an_answer_of_the_service_stay_as_they_are(export):
    plain = gpu_clusters.geocode(ROWS, admin="state", gazetteer=export)
    assert plain["accuracy"].tolist() == [
        *("city", "not found", "not found", "not found", "not found", "elsewhere"),
        *("ambiguous", "area", "no city", "not found", "not found", "not found"),
    ]


@pytest.mark.parametrize(
    "trouble",
    [
        SLOW,
        MALFORMED,
        b"",
        (500, {}, b""),
        (503, {}, b""),
        (429, {"Retry-After": "x"}, b""),
        error(504),
        {},
        {"candidates": [{}]},
    ],
)
def test_answers_stay_when_the_service_fails_and_the_next_run_goes_on(tmp_path, export, trouble):
    answers = ANSWERS | {"Atlantis, France": [[candidate(20, 50)]], "Gondor, Namibia": [trouble]}
    arguments = {"admin": "state", "gazetteer": export}
    moment = Time()
    with serving(answers) as service:
        with client(service, tmp_path, moment, tries=3) as arcgis, pytest.raises(ServiceError) as raised:
            gpu_clusters.geocode(ROWS, **arguments, fallback=arcgis)
        assert "gives no answer to 'Gondor, Namibia'" in str(raised.value) and "1 new answers are kept" in str(
            raised.value
        )
        assert service.queries[2:] == ["Gondor, Namibia"] * 3 and [w for w in moment.waits if w >= 1] == [1, 2]
        answers["Gondor, Namibia"] = [[]]
        before = len(service.queries)
        with client(service, tmp_path) as arcgis:
            found = gpu_clusters.geocode(ROWS, **arguments, fallback=arcgis)
        assert service.queries[before:] == WANTED[1:] and found["lon"].notna().sum() == 5


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        ((401, {}, b"who?"), "token is not accepted"),
        ((403, {}, b""), "token is not accepted"),
        (error(498, f"Invalid token {TOKEN}"), "token is not accepted (498: Invalid token ***)"),
        (error(499, "Token Required"), "token is not accepted"),
        ((402, {}, b""), "no credit left"),
        (error(403, "You have used all your credits."), "no credit left"),
        (error(400, "Quota exceeded"), "no credit left"),
        ((404, {}, b""), "no geocoder"),
        ((429, {"Retry-After": "86400"}, b""), "come back in 86,400 s"),
    ],
)
def test_what_cannot_help_is_not_tried_again(tmp_path, refusal, says):
    moment = Time()
    with serving({"B": [refusal], "A": [[candidate(1, 2)]]}) as service, client(service, tmp_path, moment) as arcgis:
        assert arcgis.candidates("A")
        with pytest.raises(ServiceError) as raised:
            arcgis.candidates("B")
        assert service.queries == ["A", "B"] and not [wait for wait in moment.waits if wait >= 1]
        text = str(raised.value)
        assert says in text and "1 new answers are kept in" in text and "secret" not in text
        assert arcgis.candidates("A") and arcgis.kept == 1


def test_a_service_that_rejects_everything(tmp_path):
    with serving({f"q{i}": [error(400, "Invalid parameters")] for i in range(20)}) as service:
        with client(service, tmp_path) as arcgis, pytest.raises(ServiceError, match="one address after the other"):
            assert all(arcgis.candidates(f"q{i}") is None for i in range(9))
            arcgis.candidates("q9")
        assert len(service.queries) == 10


def test_a_service_that_rejects_addresses_now_and_then(tmp_path):
    answers = {f"q{i}": [error(400, "Invalid parameters")] if i % 10 else [[candidate(1, 2)]] for i in range(30)}
    with serving(answers) as service, client(service, tmp_path) as arcgis:
        assert [i for i in range(30) if arcgis.candidates(f"q{i}")] == [0, 10, 20]


def test_nobody_listens(tmp_path):
    with serving({}) as service:
        pass
    with client(service, tmp_path, tries=2) as arcgis, pytest.raises(ServiceError, match="gives no answer"):
        arcgis.candidates("A")


def test_questions_keep_their_distance(tmp_path):
    moment = Time()
    with serving({}) as service, client(service, tmp_path, moment, rate=4) as arcgis:
        for i in range(5):
            arcgis.candidates(f"q{i}")
            moment.at += 0.1  # the time that an answer takes
        assert np.allclose(moment.waits, [0.15] * 4) and len(service.queries) == 5


def test_places_that_are_not_numbers_are_passed_over(tmp_path):
    answers = {"A": [[candidate("NaN", "NaN"), candidate(1, 2)]]}
    with serving(answers) as service, client(service, tmp_path) as arcgis:
        assert [one["lon"] for one in arcgis.candidates("A")] == [1]


def test_arguments_that_make_no_sense(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for options, says in (
        ({}, "needs a token"),
        ({"token": " "}, "needs a token"),
        ({"token": "t", "url": "ftp://x"}, "no address of a service"),
        ({"token": "t", "url": "https://"}, "no address of a service"),
        ({"token": "t", "url": "https://me@example.org"}, "no address of a service"),
        ({"token": "t", "url": "https://example.org?a=b"}, "no address of a service"),
        ({"token": "t", "url": "http://example.org"}, "would get the token unencrypted"),
        ({"token": "t", "url": "http://["}, "no address of a service"),
        ({"token": "t", "rate": 0}, "rate must be above 0"),
        ({"token": "t", "timeout_s": "5"}, "timeout_s must be above 0, not '5'"),
        ({"token": "t", "tries": 2.5}, "tries must be a whole number above 0, not 2.5"),
    ):
        with pytest.raises(UsageError, match=says):
            ArcGIS(**options)
    with pytest.raises(UsageError, match="must be none or arcgis"):
        gpu_clusters.geocode(ROWS, fallback="google")
    with pytest.raises(UsageError, match="ARCGIS_TOKEN"):
        gpu_clusters.geocode(ROWS, fallback="arcgis")
    assert not list(tmp_path.iterdir())
    with ArcGIS("t") as arcgis:
        assert arcgis.url == "https://geocode.arcgis.com"
    assert (tmp_path / "gpu-clusters" / "arcgis.sqlite").is_file()
