"""The fallback for what GeoNames does not know: the ArcGIS World Geocoding Service, through geopy."""

from __future__ import annotations

import math
import os
import re
import time
from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus, urlencode, urlsplit

from geopy.adapters import AdapterHTTPError, URLLibAdapter, get_retry_after
from geopy.exc import GeocoderParseError, GeocoderServiceError, GeocoderTimedOut
from geopy.geocoders import ArcGIS as Client

from gpu_clusters.errors import GpuClustersError, UsageError
from gpu_clusters.geocoding.cache import Cache, default_path

TOKEN = "ARCGIS_TOKEN"
URL = "https://geocode.arcgis.com"
FIELDS = ("Addr_type", "Type", "City", "Region", "RegionAbbr", "Country")
_LONGEST_WAIT_S = 300.0
_LONGEST_PAUSE_S = 60.0
_REFUSED_IN_A_ROW = 10
_TOKEN_CODES, _QUERY_CODES = {401, 403, 407, 498, 499}, {400, 413, 414}
_CREDIT = re.compile(r"credit|quota|billing|payment", re.IGNORECASE)


class ServiceError(GpuClustersError):
    """The service refuses, or does not answer. What it has answered before is in the cache."""


class Clock(NamedTuple):
    """How time passes: seconds that only grow, and a way to wait for some."""

    now: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep


class ArcGIS:
    """Asks the ArcGIS World Geocoding Service, each question once.

    Parameters
    ----------
    token : str, optional
        Access token or API key, of an account that may store results. Left out: what the environment variable
        ``ARCGIS_TOKEN`` holds. It is sent to the service and nowhere else.
    cache : path, optional
        SQLite file that keeps the answers. Left out: ``gpu-clusters/arcgis.sqlite`` in the user's cache folder.
    rate : float
        Questions per second at most.
    timeout_s : float
        Seconds until a question counts as unanswered.
    tries : int
        How often a question is put before the service counts as failing. Before each further one passes twice the time of
        the last, from 1 second up to 60, or what the service asks for (``Retry-After``).
    url : str
        Where the service is, if it is not Esri's.
    clock : Clock
        For tests.

    Raises
    ------
    UsageError
        There is no token, or a value makes no sense.
    InputError
        The cache is something else.

    Notes
    -----
    The questions say ``forStorage=true``, which Esri's terms ask for where answers are kept.
    """

    def __init__(
        self,
        token: str | None = None,
        *,
        cache: str | os.PathLike[str] | None = None,
        rate: float = 10.0,
        timeout_s: float = 20.0,
        tries: int = 6,
        url: str = URL,
        clock: Clock | None = None,
    ) -> None:
        for name, value, kind, wanted in (
            ("rate", rate, Real, "above 0"),
            ("timeout_s", timeout_s, Real, "above 0"),
            ("tries", tries, Integral, "a whole number above 0"),
        ):
            if not isinstance(value, kind) or not 0 < value < math.inf:
                raise UsageError(f"{name} must be {wanted}, not {value!r}")
        self._token = (os.environ.get(TOKEN, "") if token is None else token).strip()
        scheme, domain = _address(url, self._token)
        self.url = f"{scheme}://{domain}"
        self._rate, self._tries, self._clock = rate, tries, clock or Clock()
        given = {"forStorage": "true"} | ({"token": self._token} if self._token else {})

        def adapter(**options: Any) -> URLLibAdapter:
            return _Adapter(given, **options)

        self._client = Client(
            scheme=scheme, domain=domain, timeout=timeout_s, user_agent="gpu-clusters", adapter_factory=adapter
        )
        self._cache = Cache(default_path() if cache is None else cache)
        self._next = -math.inf
        self._refused = 0
        self.asked = self.answered = self.kept = 0

    def __enter__(self) -> ArcGIS:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the cache."""
        self._cache.close()

    def candidates(self, query: str) -> list[dict[str, Any]] | None:
        """What the service has for an address: from the cache where it has been asked before; None where it rejects the address.

        Raises
        ------
        ServiceError
            The service refuses, or does not answer.
        """
        key = query.casefold()
        found = self._cache.get(self.url, key)
        if found is None:
            with self._cache.alone():
                found = self._cache.get(self.url, key)  # another run may have asked meanwhile
                if found is None:
                    return self._new(query, key)
        self.kept += 1
        return found

    def _new(self, query: str, key: str) -> list[dict[str, Any]] | None:
        """Ask, and keep the answer."""
        try:
            found = self._ask(query)
        except _RejectedError as error:
            self._refused += 1
            if self._refused >= _REFUSED_IN_A_ROW:
                raise self._error(f"rejects one address after the other ({error})") from None
            return None
        self._refused = 0
        self._cache.put(self.url, key, found)
        self.answered += 1
        return found

    def _ask(self, query: str) -> list[dict[str, Any]]:
        """Put a question until it is answered, ``tries`` times at most."""
        pause = 1.0
        for left in reversed(range(self._tries)):
            self._pace()
            self.asked += 1
            try:
                found = self._client.geocode(query, exactly_one=False, out_fields=FIELDS)
                return [_slim(place.raw) for place in found or ()]
            except _ForbiddenError as error:
                raise self._error(f"refuses: {error}") from None
            except (GeocoderServiceError, LookupError, TypeError, ValueError, AttributeError) as error:
                asked_for = getattr(error, "retry_after", None) or 0.0
                if asked_for > _LONGEST_WAIT_S:
                    raise self._error(f"asks to come back in {asked_for:,.0f} s") from None
                if not left:
                    raise self._error(f"gives no answer to {self._clean(query)!r} ({_reason(error)})") from None
            self._clock.wait(max(pause, asked_for))
            pause = min(2 * pause, _LONGEST_PAUSE_S)
        raise AssertionError

    def _pace(self) -> None:
        """Wait until the next question may be asked."""
        early = self._next - self._clock.now()
        if early > 0:
            self._clock.wait(early)
        self._next = self._clock.now() + 1 / self._rate

    def _error(self, text: str) -> ServiceError:
        return ServiceError(
            f"{self.url} {self._clean(text)}; {self.answered:,} new answers are kept in {self._cache.path}: the same "
            "command goes on from there"
        )

    def _clean(self, text: str) -> str:
        """A text without the token, should the service have repeated it."""
        for form in {self._token, quote(self._token), quote_plus(self._token)} - {""}:
            text = text.replace(form, "***")
        return " ".join(text.split())[:400]


class _ForbiddenError(Exception):
    """To ask again would be of no use, whatever the address."""


class _RejectedError(Exception):
    """To ask again for this address would be of no use."""


class _BusyError(GeocoderServiceError):
    """To ask again may help, after ``retry_after`` seconds if that is known."""

    def __init__(self, text: str, retry_after: float | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class _Adapter(URLLibAdapter):
    """Sends what geopy has no argument for, and tells kinds of failure apart, which come with status 200 too."""

    def __init__(self, given: dict[str, str], **options: Any) -> None:
        super().__init__(**options)
        self._given = given

    def get_json(self, url: str, *, timeout: float, headers: dict[str, str]) -> Any:
        try:
            answer = super().get_json(f"{url}&{urlencode(self._given)}", timeout=timeout, headers=headers)
        except AdapterHTTPError as error:
            reason = (
                " ".join((error.text or "").split())[:200] if error.status_code in _TOKEN_CODES | _QUERY_CODES else ""
            )
            raise _failure(error.status_code, reason, get_retry_after(error.headers)) from None
        told = answer.get("error") if isinstance(answer, dict) else None
        if isinstance(told, dict):
            raise _failure(told.get("code"), f"{told.get('message')} {told.get('details') or ''}", None)
        if not isinstance(answer, dict) or not isinstance(answer.get("candidates"), list):
            raise _BusyError("an answer without candidates")
        return answer | {"candidates": [one for one in answer["candidates"] if _has_place(one)]}


def _failure(code: Any, text: str, retry_after: float | None) -> Exception:
    """What an error of the service means."""
    said = f"{code}: {text}".strip(" :")
    if code == 402 or (code in _TOKEN_CODES | _QUERY_CODES and _CREDIT.search(text)):
        return _ForbiddenError(f"the account has no credit left ({said}); top it up, or use another token")
    if code in _TOKEN_CODES:
        return _ForbiddenError(f"the token is not accepted ({said}); put a valid one into {TOKEN}")
    if code == 404:
        return _ForbiddenError("there is no geocoder at this address (404)")
    if code in _QUERY_CODES:
        return _RejectedError(said)
    return _BusyError(f"error {said}", retry_after)


def _reason(error: Exception) -> str:
    if isinstance(error, GeocoderTimedOut):
        return "timed out"
    if isinstance(error, GeocoderParseError):
        return "malformed JSON"
    return str(error) if isinstance(error, GeocoderServiceError) else "an answer of another form"


def _has_place(candidate: Any) -> bool:
    """False where the service writes NaN for a place; what else is odd is for geopy to find."""
    try:
        return math.isfinite(float(candidate["location"]["x"])) and math.isfinite(float(candidate["location"]["y"]))
    except (KeyError, TypeError, ValueError):
        return True


def _slim(candidate: dict[str, Any]) -> dict[str, Any]:
    """What is kept of a candidate."""
    at, attributes = candidate["location"], candidate.get("attributes") or {}
    return {
        "lon": float(at["x"]),
        "lat": float(at["y"]),
        "score": float(candidate["score"]),
        "attributes": {name: attributes[name] for name in FIELDS if attributes.get(name)},
    }


def _address(url: str, token: str) -> tuple[str, str]:
    """Scheme and domain of a service."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.username)
    except ValueError:  # brackets with no IPv6 address within
        fine = False
    if not fine:
        raise UsageError(f"{url!r} is no address of a service such as {URL}")
    if not token and url == URL:
        raise UsageError(f"ArcGIS needs a token: put it into the environment variable {TOKEN}")
    if token and parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
        raise UsageError(f"{url} would get the token unencrypted: give an address with https")
    return parts.scheme, f"{parts.netloc}{parts.path}".rstrip("/")
