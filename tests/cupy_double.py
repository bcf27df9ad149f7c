"""A double of CuPy on the CPU that is stricter than CuPy: what passes here makes no host round trip unseen and asks for nothing
that CuPy lacks.

- Arrays of NumPy and of this module never mix, and are turned into each other by ``asarray``, ``asnumpy`` and ``get`` alone.
- Indexing gives arrays, of no dimension where NumPy gives scalars.
- Functions and keywords are those of `API`, which `test_cupy_double.py` compares with CuPy's own where CuPy is installed.
- Sums of floating-point numbers are refused unless all are whole and no sum is beyond 2**53, where it has no bits to lose: a GPU
  adds in any order. So is writing different values to one place.
- ``bincount`` is refused where CuPy's would take much memory.
- ``log`` lists what crosses between host and device, by function and size.
"""

from __future__ import annotations

import math
import operator
import weakref
from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np

__version__ = "13.6"
log: list[tuple[str, int]] = []
MOST_BINS = 1 << 12  # of `bincount`


class ndarray:  # noqa: N801
    """``cupy.ndarray``."""

    __array_ufunc__ = None  # NumPy's operators leave it to ours, which refuse
    __hash__ = None

    def __init__(self, data: np.ndarray) -> None:
        self._data = data

    def __array__(self, *_: Any, **__: Any) -> np.ndarray:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`.")

    def __array_function__(self, function: Any, *_: Any) -> Any:
        raise TypeError(f"numpy.{function.__name__} was called with an array of the GPU: call that of its namespace")

    def get(self) -> np.ndarray:
        log.append(("get", self._data.nbytes))
        return self._data.copy()

    def item(self) -> Any:
        log.append(("item", self._data.nbytes))
        return self._data.item()

    def tolist(self) -> Any:
        log.append(("tolist", self._data.nbytes))
        return self._data.tolist()

    def __bool__(self) -> bool:
        return bool(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __float__(self) -> float:
        return float(self.item())

    def __len__(self) -> int:
        return len(self._data)

    def __iter__(self) -> Any:
        return (wrapped(row) for row in self._data) if self.ndim > 1 else map(wrapped, self._data)

    def __repr__(self) -> str:
        return f"double of {self._data!r}"

    def __getitem__(self, index: Any) -> ndarray:
        return wrapped(self._data[unwrapped(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        where, new = unwrapped(index), unwrapped(value)
        if isinstance(where, np.ndarray) and where.dtype != bool and isinstance(new, np.ndarray) and new.ndim:
            check = self._data.copy()
            check[where] = new
            if not np.array_equal(
                check[where], np.broadcast_to(new, check[where].shape), equal_nan=new.dtype.kind == "f"
            ):
                raise AssertionError("different values for one place: on a GPU any of them may win")
        self._data[where] = new

    dtype = property(lambda self: self._data.dtype)
    shape = property(lambda self: self._data.shape)
    ndim = property(lambda self: self._data.ndim)
    size = property(lambda self: self._data.size)
    nbytes = property(lambda self: self._data.nbytes)
    flags = property(lambda self: self._data.flags)
    T = property(lambda self: wrapped(self._data.T))

    def astype(self, dtype: Any, copy: bool = True) -> ndarray:
        return wrapped(self._data.astype(dtype, copy=copy))

    def view(self, dtype: Any) -> ndarray:
        return wrapped(self._data.view(dtype))

    def copy(self) -> ndarray:
        return wrapped(self._data.copy())

    def fill(self, value: Any) -> None:
        self._data.fill(unwrapped(value))

    def reshape(self, *shape: Any) -> ndarray:
        return wrapped(self._data.reshape(*shape))

    def ravel(self) -> ndarray:
        return wrapped(self._data.ravel())

    def sum(self, axis: Any = None, dtype: Any = None) -> ndarray:
        whole(self._data)
        return wrapped(self._data.sum(axis=axis, dtype=dtype))

    def cumsum(self, axis: Any = None, dtype: Any = None) -> ndarray:
        whole(self._data)
        return wrapped(self._data.cumsum(axis=axis, dtype=dtype))

    def max(self, axis: Any = None) -> ndarray:
        return wrapped(self._data.max(axis=axis))

    def min(self, axis: Any = None) -> ndarray:
        return wrapped(self._data.min(axis=axis))

    def any(self, axis: Any = None) -> ndarray:
        return wrapped(self._data.any(axis=axis))

    def all(self, axis: Any = None) -> ndarray:
        return wrapped(self._data.all(axis=axis))

    def argsort(self, axis: int = -1) -> ndarray:
        return wrapped(self._data.argsort(axis=axis, kind="stable"))

    def sort(self, axis: int = -1) -> None:
        self._data.sort(axis=axis, kind="stable")


class Held:
    """Bytes of the device that arrays hold while this is entered: now, and at most. Views hold what they are views of."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._arrays: Counter[int] = Counter()

    def __enter__(self) -> Held:
        self._begin, counted = ndarray.__init__, self

        def begin(array: ndarray, data: np.ndarray) -> None:
            counted._begin(array, data)
            while isinstance(data.base, np.ndarray):
                data = data.base
            counted._add(array, id(data), data.nbytes)

        ndarray.__init__ = begin  # type: ignore[method-assign]
        return self

    def __exit__(self, *_: Any) -> None:
        ndarray.__init__ = self._begin  # type: ignore[method-assign]

    def _add(self, array: ndarray, memory: int, size: int) -> None:
        self._arrays[memory] += 1
        if self._arrays[memory] == 1:
            self.now += size
            self.most = max(self.most, self.now)
        weakref.finalize(array, self._drop, memory, size)

    def _drop(self, memory: int, size: int) -> None:
        self._arrays[memory] -= 1
        if not self._arrays[memory]:
            del self._arrays[memory]
            self.now -= size


def _operator(name: str) -> Any:
    function = getattr(operator, name)

    def forward(self: ndarray, *other: Any) -> ndarray:
        return wrapped(function(self._data, *map(unwrapped, other)))

    def backward(self: ndarray, other: Any) -> ndarray:
        return wrapped(function(unwrapped(other), self._data))

    def inplace(self: ndarray, other: Any) -> ndarray:
        self._data[...] = np.asarray(function(self._data, unwrapped(other))).astype(self.dtype, casting="same_kind")
        return self

    return forward, backward, inplace


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "and_", "or_", "xor", "lshift", "rshift"):
    _bare = _name.rstrip("_")
    _forward, _backward, _inplace = _operator(_name)
    setattr(ndarray, f"__{_bare}__", _forward)
    setattr(ndarray, f"__r{_bare}__", _backward)
    setattr(ndarray, f"__i{_bare}__", _inplace)
for _name in ("eq", "ne", "lt", "le", "gt", "ge", "neg", "invert", "abs"):
    setattr(ndarray, f"__{_name}__", _operator(_name)[0])


def wrapped(value: Any) -> Any:
    """What NumPy gives, as CuPy gives it."""
    if isinstance(value, tuple):
        return tuple(wrapped(one) for one in value)
    return ndarray(np.asarray(value)) if isinstance(value, (np.ndarray, np.generic)) else value


def unwrapped(value: Any) -> Any:
    """What CuPy may be given, for NumPy; arrays of NumPy may not."""
    if isinstance(value, ndarray):
        return value._data
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}")
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise OverflowError("Python int too large to convert to C long")
    if isinstance(value, (tuple, list)):
        return getattr(type(value), "_make", type(value))(unwrapped(one) for one in value)
    return value


def taken_by(launch: Any) -> Any:
    """A function that launches kernels of the simulator, made to take arrays of this module, and no others."""
    return lambda kernel, count, *args: launch(kernel, count, *map(unwrapped, args))


def whole(values: np.ndarray) -> None:
    """Refuse to add floating-point numbers whose sum depends on the order."""
    if values.dtype.kind not in "iub" and ((values != np.rint(values)).any() or np.abs(values).sum() > 2.0**53):
        raise AssertionError("a sum of floating-point numbers, whose last bits depend on the GPU's order")


def asarray(a: Any, dtype: Any = None) -> ndarray:
    if isinstance(a, np.ndarray):
        log.append(("asarray", a.nbytes))
        return ndarray(np.array(a, dtype))
    return a if isinstance(a, ndarray) and dtype in (None, a.dtype) else ndarray(np.array(unwrapped(a), dtype))


def asnumpy(a: Any) -> np.ndarray:
    return a.get() if isinstance(a, ndarray) else np.asarray(a)


def lexsort(keys: Any) -> ndarray:
    if not isinstance(keys, ndarray) or keys.ndim != 2:
        raise TypeError("lexsort takes one array of two dimensions")
    return wrapped(np.lexsort(keys._data))


def repeat(a: Any, repeats: int, axis: Any = None) -> ndarray:
    if not isinstance(repeats, int):
        raise ValueError("'repeats' should be int or sequence")  # before CuPy 14
    return wrapped(np.repeat(unwrapped(a), repeats, axis))


def bincount(x: ndarray, weights: Any = None, minlength: int | None = None) -> ndarray:
    if len(x) == 0:
        raise ValueError("zero-size array to reduction operation cupy_max which has no identity")  # before CuPy 14
    if weights is not None:
        whole(unwrapped(weights).astype(float))
    elif max(unwrapped(x).max() + 1, minlength or 0) > MOST_BINS:
        raise AssertionError("each block of threads would have a table of so many numbers: use `arrays.count_each`")
    return wrapped(np.bincount(unwrapped(x), unwrapped(weights), minlength=minlength or 0))


def cumsum(a: ndarray, axis: Any = None, dtype: Any = None) -> ndarray:
    return a.cumsum(axis, dtype)


def sort(a: ndarray, axis: int = -1) -> ndarray:
    return wrapped(np.sort(unwrapped(a), axis=axis, kind="stable"))


def argsort(a: ndarray, axis: int = -1) -> ndarray:
    return a.argsort(axis)


def searchsorted(a: ndarray, v: ndarray, side: str = "left") -> ndarray:
    if not isinstance(a, ndarray) or not isinstance(v, ndarray):
        raise NotImplementedError("Only int or ndarray are supported for a and v")
    return wrapped(np.searchsorted(a._data, v._data, side=side))


def unwritten(made: np.ndarray) -> ndarray:
    """An array with what no result may have: values that nobody has written are whatever was there before."""
    made.fill({"f": math.nan, "i": -7}.get(made.dtype.kind, 1))
    return ndarray(made)


def empty(shape: Any, dtype: Any = float) -> ndarray:
    return unwritten(np.empty(unwrapped(shape), dtype))


def empty_like(prototype: ndarray, dtype: Any = None) -> ndarray:
    return unwritten(np.empty_like(unwrapped(prototype), dtype))


# Names and keywords that are taken over from NumPy as they are; those above have bodies of their own.
API: dict[str, tuple[str, ...]] = {
    "arange": ("dtype",),
    "arctan2": (),
    "ascontiguousarray": (),
    "clip": (),
    "cos": (),
    "concatenate": ("axis",),
    "degrees": (),
    "diff": ("axis",),
    "flatnonzero": (),
    "floor": (),
    "frexp": (),
    "full": ("dtype",),
    "isfinite": (),
    "isinf": (),
    "isnan": (),
    "ldexp": (),
    "maximum": (),
    "minimum": (),
    "ones": ("dtype",),
    "radians": (),
    "rint": (),
    "signbit": (),
    "sqrt": (),
    "stack": ("axis",),
    "take": ("axis",),
    "unique": ("return_index", "return_inverse", "return_counts"),
    "where": (),
    "zeros": ("dtype",),
    "zeros_like": ("dtype",),
}


def __getattr__(name: str) -> Any:
    if name not in API:
        raise AttributeError(f"the double of CuPy has no {name!r}: see whether CuPy has it, and add it")

    def function(*args: Any, **keywords: Any) -> Any:
        unknown = set(keywords) - set(API[name])
        if unknown:
            raise TypeError(f"{name} of the double of CuPy takes no {unknown}")
        return wrapped(getattr(np, name)(*map(unwrapped, args), **{k: unwrapped(v) for k, v in keywords.items()}))

    return function


runtime = SimpleNamespace(
    CUDARuntimeError=type("CUDARuntimeError", (RuntimeError,), {}),
    getDeviceCount=lambda: 1,
    getDevice=lambda: 0,
    getDeviceProperties=lambda number: {"name": b"Double H100", "number": number},
)
cuda = SimpleNamespace(is_available=lambda: False, runtime=runtime, get_current_stream=lambda: SimpleNamespace(ptr=0))
