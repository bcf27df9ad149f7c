"""Rows to documents: dense codes, rows grouped by code, and distinct (document, country) pairs."""

from __future__ import annotations

import numba
import numpy as np

from gpu_clusters.compiled import cached

_SPREAD = 4  # identifiers this many times denser than rows, or more, are coded through a plain array


def codes_of(ids: np.ndarray) -> tuple[np.ndarray, int]:
    """Number identifiers in the order of their first appearance.

    Parameters
    ----------
    ids : (n,) int32 or int64

    Returns
    -------
    codes : (n,) int32
        In 0..k-1.
    k : int
        How many distinct identifiers there are.
    """
    codes = np.empty(len(ids), np.int32)
    if len(ids) == 0:
        return codes, 0
    low, high = int(ids.min()), int(ids.max())
    if _ascending(ids):
        return codes, int(_codes_ascending(ids, codes))
    if high - low < max(_SPREAD * len(ids), 1 << 16):
        return codes, int(_codes_compact(ids, low, np.full(high - low + 1, -1, np.int32), codes))
    return codes, int(_codes_hashed(ids, codes))


@cached(numba.njit, nogil=True)
def _ascending(values: np.ndarray) -> bool:
    for i in range(1, values.shape[0]):  # noqa: SIM110 (a loop for numba)
        if values[i] < values[i - 1]:
            return False
    return True


@cached(numba.njit, nogil=True)
def _codes_ascending(ids: np.ndarray, codes: np.ndarray) -> int:
    code = 0
    codes[0] = 0
    for i in range(1, ids.shape[0]):
        if ids[i] != ids[i - 1]:
            code += 1
        codes[i] = code
    return code + 1


@cached(numba.njit, nogil=True)
def _codes_compact(ids: np.ndarray, low: int, code_of: np.ndarray, codes: np.ndarray) -> int:
    count = 0
    for i in range(ids.shape[0]):
        key = ids[i] - low
        if code_of[key] < 0:
            code_of[key] = count
            count += 1
        codes[i] = code_of[key]
    return count


@cached(numba.njit, nogil=True)
def _slot(key: np.int64, mask: int) -> np.int64:
    """First slot to try for a key: the finaliser of splitmix64."""
    h = np.uint64(key)
    h = (h ^ (h >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    h = (h ^ (h >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    h = h ^ (h >> np.uint64(31))
    return np.int64(h & np.uint64(mask))


@cached(numba.njit, nogil=True)
def _codes_hashed(ids: np.ndarray, codes: np.ndarray) -> int:
    """Open addressing with linear probing; the table doubles when half full."""
    size = 1 << 16
    table = np.full(size, -1, np.int32)
    keys = np.empty(size // 2, np.int64)
    count = 0
    for i in range(ids.shape[0]):
        key = ids[i]
        slot = _slot(key, size - 1)
        while table[slot] >= 0 and keys[table[slot]] != key:
            slot = (slot + 1) & (size - 1)
        if table[slot] < 0:
            if count == keys.shape[0]:
                larger = np.empty(size, np.int64)
                larger[:count] = keys
                keys = larger
                size *= 2
                table = np.full(size, -1, np.int32)
                for code in range(count):
                    slot = _slot(keys[code], size - 1)
                    while table[slot] >= 0:
                        slot = (slot + 1) & (size - 1)
                    table[slot] = code
                slot = _slot(key, size - 1)
                while table[slot] >= 0:
                    slot = (slot + 1) & (size - 1)
            table[slot] = count
            keys[count] = key
            count += 1
        codes[i] = table[slot]
    return count


def group(codes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Group rows by code.

    Parameters
    ----------
    codes : (n,) int32
        In 0..count-1.
    count : int

    Returns
    -------
    start : (count + 1,) int64
        Rows ``order[start[c]:start[c + 1]]`` have code c.
    order : (n,) int32 or int64, or None
        Row numbers by code, rows of one code in their order; None if the rows are grouped as they stand.
    """
    start = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(codes, minlength=count), out=start[1:])
    if _ascending(codes):
        return start, None
    order = np.empty(len(codes), np.int32 if len(codes) < 2**31 else np.int64)
    _counting_sort(codes, start[:-1].copy(), order)
    return start, order


@cached(numba.njit, nogil=True)
def _counting_sort(codes: np.ndarray, next_place: np.ndarray, order: np.ndarray) -> None:
    for i in range(codes.shape[0]):
        code = codes[i]
        order[next_place[code]] = i
        next_place[code] += 1


def count_documents(
    start: np.ndarray, order: np.ndarray | None, country: np.ndarray, geocoded: np.ndarray, countries: int
) -> tuple[np.ndarray, np.ndarray]:
    """Count the documents with a row, and with a geocoded row, of each country.

    Parameters
    ----------
    start, order
        As `group` gives them.
    country : (n,) int32
        In -1..countries-1.
    geocoded : (n,) bool
    countries : int

    Returns
    -------
    documents, covered : (countries + 2,) int64
        Missing countries at the last place but one; any country at the last.
    """
    documents = np.zeros(countries + 2, np.int64)
    covered = np.zeros(countries + 2, np.int64)
    plain = order is None
    places = np.empty(0, np.int32) if order is None else order
    _count_documents(start, places, plain, country, geocoded, documents, covered)
    return documents, covered


@cached(numba.njit, nogil=True)
def _count_documents(
    start: np.ndarray,
    order: np.ndarray,
    plain: bool,
    country: np.ndarray,
    geocoded: np.ndarray,
    documents: np.ndarray,
    covered: np.ndarray,
) -> None:
    world = documents.shape[0] - 1
    seen = np.full(world, -1, np.int64)
    seen_geocoded = np.full(world, -1, np.int64)
    for document in range(start.shape[0] - 1):
        any_geocoded = False
        for place in range(start[document], start[document + 1]):
            row = place if plain else order[place]
            code = country[row] if country[row] >= 0 else world - 1
            if seen[code] != document:
                seen[code] = document
                documents[code] += 1
            if geocoded[row]:
                any_geocoded = True
                if seen_geocoded[code] != document:
                    seen_geocoded[code] = document
                    covered[code] += 1
        if start[document + 1] > start[document]:
            documents[world] += 1
        if any_geocoded:
            covered[world] += 1
