"""The double of CuPy refuses what CuPy refuses, and has nothing that CuPy lacks."""

from __future__ import annotations

import importlib.util
import inspect

import cupy_double as xp
import numpy as np
import pytest

from gpu_clusters.arrays import namespace, to_host


def test_arrays_of_the_host_and_of_the_gpu_do_not_mix():
    mine, theirs = xp.asarray(np.arange(3)), np.arange(3)
    for mixed in (
        lambda: mine + theirs,
        lambda: theirs + mine,
        lambda: mine[theirs],
        lambda: theirs[mine],
        lambda: xp.concatenate((mine, theirs)),
        lambda: np.cumsum(mine),
        lambda: np.asarray(mine),
        lambda: mine.__setitem__(slice(None), theirs),
    ):
        with pytest.raises((TypeError, IndexError)):
            mixed()
    assert (to_host(mine + mine) == theirs + theirs).all() and to_host(theirs) is theirs


def test_what_depends_on_the_order_of_threads_is_refused():
    values = xp.asarray(np.array([0.1, 0.2]))
    for undefined in (values.sum, values.cumsum, lambda: xp.bincount(xp.zeros(2, int), weights=values)):
        with pytest.raises(AssertionError):
            undefined()
    assert float(xp.asarray(np.array([1.0, 2.0])).sum()) == 3
    with pytest.raises(AssertionError, match="any of them"):
        values[xp.asarray(np.array([0, 0]))] = values
    values[xp.asarray(np.array([0, 0]))] = xp.ones(2)
    assert values.tolist() == [1.0, 0.2]


def test_memory_is_counted_while_arrays_or_views_of_them_exist():
    with xp.Held() as held:
        one = xp.asarray(np.zeros(1000))
        half = one[:500]
        assert (held.now, held.most) == (8000, 8000)
        del one
        assert held.now == 8000  # of which the view is
        other = half + half
        assert held.now == 12000
        del half, other
        assert (held.now, held.most) == (0, 12000)
    xp.asarray(np.zeros(10**6))
    assert held.most == 12000


def test_namespaces():
    assert namespace(np.zeros(1)) is np and namespace(xp.zeros(1)) is xp
    assert isinstance(xp.zeros(3)[0], xp.ndarray) and int(xp.arange(3)[2]) == 2
    with pytest.raises(AttributeError, match="has no 'median'"):
        xp.median  # noqa: B018


@pytest.mark.skipif(importlib.util.find_spec("cupy") is None, reason="CuPy is not installed")
def test_cupy_has_all_of_it():
    for name, keywords in xp.API.items():
        found = getattr(pytest.importorskip("cupy"), name)
        try:
            known = set(inspect.signature(found).parameters)
        except (TypeError, ValueError):  # of compiled functions and ufuncs there is a text alone
            known = None
        assert known is None or set(keywords) <= known, name
    functions = {
        name for name, value in vars(xp).items() if inspect.isfunction(value) and value.__module__ == xp.__name__
    }
    own = {name for name in functions if not name.startswith("_")} - {
        "taken_by",
        "wrapped",
        "unwrapped",
        "unwritten",
        "whole",
    }
    methods = set(vars(xp.ndarray)) - {"__weakref__", "__slotnames__"}  # Python adds them
    assert all(hasattr(pytest.importorskip("cupy").ndarray, name) for name in methods)
    assert all(hasattr(pytest.importorskip("cupy"), name) for name in own)
