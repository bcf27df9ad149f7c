"""CuPy itself on a CPU: its memory is the host's, and its kernels are compiled by a C++ compiler.

cupy_on_cpu.py PROGRAM ...      run a program of this folder with CuPy in the place of its double
pytest -p cupy_on_cpu ...       the same with tests (with this folder on the PYTHONPATH)

What CuPy asks of CUDA's runtime and driver is answered here, under the names that it has in CuPy's compiled modules. The
sources of its kernels are CuPy's own; `cupy_on_cpu.hpp` has CUDA's words and the threads of a block. What comes compiled for
GPUs alone is left out: CUB, and Thrust's sorting, for which there is NumPy's. New memory is not zero, and each array has its own.

Seen to work with CuPy 13.6 and 14.2. Needs g++ and no GPU; where there is one, it is not used.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import re
import runpy
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np

HERE = Path(__file__).parent
BUILT = HERE / "__pycache__" / "cupy_on_cpu"
LIBC = ctypes.CDLL(None)
LIBC.aligned_alloc.restype = ctypes.c_void_p
LIBC.aligned_alloc.argtypes = [ctypes.c_size_t, ctypes.c_size_t]
LIBC.free.argtypes = [ctypes.c_void_p]
ALIGNED, UNSET = 512, 0xA5  # of new memory: its alignment, and each of its bytes
ATTRIBUTES = {
    1: 1024,
    2: 1024,
    5: 2**31 - 1,
    8: 49_152,
    10: 32,
    16: 132,
    39: 2048,
    75: 9,
}  # of an H100, by CUDA's numbers
C_TYPES = {
    "int": ctypes.c_int,
    "unsigned int": ctypes.c_uint,
    "size_t": ctypes.c_size_t,
    "intptr_t": ctypes.c_ssize_t,
    "PyObject *": ctypes.py_object,
}  # all others are classes of CuPy's
FLAGS = "-std=c++17 -O1 -U_FORTIFY_SOURCE -ffp-contract=off -w -shared -fPIC"
KERNEL = ctypes.CFUNCTYPE(None, *[ctypes.c_uint] * 6, ctypes.c_void_p)
libraries: list[ctypes.CDLL] = []
kept: list[Any] = []  # what compiled modules have the addresses of


class Held:
    """Bytes of the device that arrays hold while this is entered: now, and at most. CuPy's own space for its work counts too."""

    entered: ClassVar[list[Held]] = []
    sizes: ClassVar[dict[int, int]] = {}

    def __init__(self) -> None:
        self.now = self.most = 0

    def __enter__(self) -> Held:
        self.entered.append(self)
        return self

    def __exit__(self, *_: Any) -> None:
        self.entered.remove(self)

    def add(self, size: int) -> None:
        self.now += size
        self.most = max(self.most, self.now)


def allocate(size: int) -> int:
    address = LIBC.aligned_alloc(ALIGNED, -(-max(size, 1) // ALIGNED) * ALIGNED)
    ctypes.memset(address, UNSET, size)
    if Held.entered:
        Held.sizes[address] = size
        Held.entered[-1].add(size)
    return address


def free(address: int) -> None:
    size = Held.sizes.pop(address, 0)
    if Held.entered:
        Held.entered[-1].add(-size)
    LIBC.free(address)


def copy(target: int, source: int, size: int, *_: int) -> None:
    ctypes.memmove(target, source, size)


def nothing(*_: Any) -> None:
    """There is nothing to wait for."""


def load(path: bytes) -> int:
    libraries.append(ctypes.CDLL(path.decode()))
    return len(libraries) - 1


def find(library: int, name: str) -> int | None:
    return ctypes.cast(getattr(libraries[library], f"launch_{name}"), ctypes.c_void_p).value


def launch(kernel: int, *shape: int) -> None:
    *sizes, _, _, parameters, _ = shape
    KERNEL(kernel)(*sizes, parameters)


ANSWERS: dict[str, dict[str, Callable[..., Any]]] = {
    "cupy_backends.cuda.api.runtime": {
        "_ensure_context": nothing,
        "deviceGetAttribute": lambda attribute, _: ATTRIBUTES.get(attribute, 0),
        "deviceSynchronize": nothing,
        "driverGetVersion": lambda: 13000,
        "eventCreateWithFlags": lambda _: 1,
        "eventDestroy": nothing,
        "eventRecord": nothing,
        "eventSynchronize": nothing,
        "free": free,
        "freeHost": free,
        "getDevice": lambda: 0,
        "getDeviceCount": lambda: 1,
        "getDeviceProperties": lambda _: {"name": b"CPU", "warpSize": 32, "multiProcessorCount": 132},
        "hostAlloc": lambda size, _: allocate(size),
        "malloc": allocate,
        "memcpy": copy,
        "memcpyAsync": copy,
        "memsetAsync": lambda target, value, size, _: ctypes.memset(target, value, size) and None,
        "pointerGetAttributes": lambda _: sys.modules["cupy_backends.cuda.api.runtime"].PointerAttributes(0, 0, 0, 0),
        "pointerGetMemoryType": lambda _: 0,  # of the host
        "runtimeGetVersion": lambda: 13000,
        "setDevice": nothing,
        "streamIsCapturing": lambda _: 0,
        "streamSynchronize": nothing,
    },
    "cupy_backends.cuda.api.driver": {
        "ctxGetCurrent": lambda: 1,
        "funcGetAttribute": lambda *_: 1024,
        "launchKernel": launch,
        "moduleGetFunction": find,
        "moduleLoadData": load,
        "moduleUnload": nothing,
    },
}


def answer(module: ModuleType, name: str, function: Callable[..., Any]) -> None:
    """Put a function in the place of a compiled one, for callers in Python and in C."""
    python = ctypes.pythonapi
    python.PyCapsule_GetName.restype = ctypes.c_char_p
    python.PyCapsule_GetName.argtypes = [ctypes.py_object]
    python.PyCapsule_New.restype = ctypes.py_object
    python.PyCapsule_New.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    signature = python.PyCapsule_GetName(module.__pyx_capi__[name])
    result, given = re.fullmatch(r"(.+?) ?\((.*)\)", signature.decode()).groups()  # type: ignore[union-attr]
    known = [C_TYPES[one] for one in given.split(", ") if one in C_TYPES]
    kind = ctypes.PYFUNCTYPE(
        C_TYPES.get(result, ctypes.py_object), *known, *[ctypes.c_int] * ("__pyx_skip_dispatch" in given)
    )
    called = kind(lambda *args: function(*args[: len(known)]))
    module.__pyx_capi__[name] = python.PyCapsule_New(ctypes.cast(called, ctypes.c_void_p), signature, None)
    setattr(module, name, function)
    kept.extend((called, signature))


def compiled(source: str, options: tuple[str, ...], include: Path) -> bytes:
    """The path of a library with the kernels of a source."""
    text = f'#include "{HERE / "cupy_on_cpu.hpp"}"\n{source}'
    waits = "true" if re.search("__sync|__shfl", source) else "false"
    for name in re.findall(r'extern\s+"C"\s+__global__\s+void\s+(\w+)', source):
        text += f"\nLAUNCHED({name}, {waits})"
    include /= "cupy/_cccl"
    command = ["g++", *FLAGS.split(), "-x", "c++", "-"]
    command += [
        f"-I{path}" for path in (include.parents[1], *(include / part for part in ("thrust", "libcudacxx", "cub")))
    ]
    command += [option for option in options if option.startswith("-D")]
    words = (HERE / "cupy_on_cpu.hpp").read_text() + text + " ".join(command)
    path = BUILT / f"{hashlib.sha256(words.encode()).hexdigest()}.so"
    if not path.exists():
        BUILT.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}")
        subprocess.run([*command, "-o", unfinished], input=text, text=True, check=True)
        unfinished.rename(path)
    return bytes(path)


def view(address: int, dtype: Any, shape: Any) -> np.ndarray:
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    return np.frombuffer((ctypes.c_char * size).from_address(address), dtype).reshape(shape)


def sort(dtype: Any, data: int, _: int, shape: Any) -> None:
    view(data, dtype, shape).sort(axis=-1, kind="stable")


def argsort(dtype: Any, order: int, data: int, _: int, shape: Any) -> None:
    view(order, np.int64, shape)[...] = view(data, dtype, shape).argsort(axis=-1, kind="stable")


def lexsort(dtype: Any, order: int, keys: int, count: int, size: int) -> None:
    view(order, np.int64, size)[...] = np.lexsort(view(keys, dtype, (count, size)))


def load_cupy() -> ModuleType:
    """Import CuPy, made to work on a CPU."""
    os.environ["CUPY_ACCELERATORS"] = ""  # which come compiled for GPUs alone
    for path, functions in ANSWERS.items():
        module = importlib.import_module(path)
        for name in functions.keys() & module.__pyx_capi__.keys():  # not every release has all of them
            answer(module, name, functions[name])
    import cupy
    from cupy.cuda import compiler, function, thrust

    def module_of(source: str, options: tuple[str, ...], *_: Any, **__: Any) -> Any:
        made = function.Module()
        made.load(compiled(source, options, Path(cupy.__file__).parent / "_core" / "include"))
        return made

    compiler._compile_with_cache_cuda = module_of
    thrust.sort, thrust.argsort, thrust.lexsort = sort, argsort, lexsort
    cupy.cuda.set_allocator(None)
    return cupy


def unwrapped(value: Any) -> Any:
    """`cupy_double.unwrapped`: NumPy's view of an array, or of those in a tuple."""
    import cupy

    if isinstance(value, cupy.ndarray):
        below = sum((size - 1) * step for size, step in zip(value.shape, value.strides, strict=True) if step < 0)
        above = sum((size - 1) * step for size, step in zip(value.shape, value.strides, strict=True) if step > 0)
        size = above - below + value.itemsize if value.size else 0
        memory = (ctypes.c_char * size).from_address(value.data.ptr + below)
        return np.ndarray(value.shape, value.dtype, memory, -below, value.strides)
    if isinstance(value, np.ndarray):
        raise TypeError("an array of the host is given where one of the device is meant")
    if isinstance(value, (tuple, list)):
        return getattr(type(value), "_make", type(value))(map(unwrapped, value))
    return value


def log_copies(cupy: ModuleType, log: list[tuple[str, int]]) -> None:
    """Note what crosses between host and device, as the double does."""

    def noted(name: str) -> Callable[..., Any]:
        inner = getattr(cupy.ndarray, name)

        def outer(array: Any, *args: Any, **keywords: Any) -> Any:
            log.append((name, array.nbytes))
            done = len(log)
            result = inner(array, *args, **keywords)
            del log[done:]  # what it calls itself
            return result

        return outer

    for name in ("get", "item", "tolist", "__bool__", "__int__", "__float__"):
        setattr(cupy.ndarray, name, noted(name))
    inner = cupy.asarray

    def asarray(a: Any, *args: Any, **keywords: Any) -> Any:
        if isinstance(a, np.ndarray):
            log.append(("asarray", a.nbytes))
        return inner(a, *args, **keywords)

    cupy.asarray, cupy.wrapped = asarray, inner


def take_the_place_of_the_double() -> None:
    """Let `import cupy_double` give CuPy, with what the double has beside."""
    from cupy_double import MOST_BINS

    from gpu_clusters.engines import cuda_sweep  # before any package has a double

    cupy = load_cupy()
    cupy.log, cupy.unwrapped, cupy.Held, cupy.MOST_BINS = [], unwrapped, Held, MOST_BINS
    log_copies(cupy, cupy.log)
    sys.modules["cupy_double"] = cupy
    cuda_sweep.held = lambda *args: list(args)  # which asks the driver for its context


def leave(status: int) -> None:
    """End the process at once: CuPy gives memory back to the last, when Python can no longer be called."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def run(program: Path) -> None:
    """Run a program with the arguments of this one, and end the process."""
    sys.argv = [str(program), *sys.argv[2:]]
    sys.path.insert(0, str(program.parent))
    status = 0
    try:
        runpy.run_path(str(program), run_name="__main__")
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else end.code is not None
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    leave(status)


def pytest_configure() -> None:
    """As a plugin of pytest."""
    take_the_place_of_the_double()


def pytest_sessionfinish(session: Any, exitstatus: int) -> None:
    session.config.add_cleanup(lambda: leave(exitstatus))


if __name__ == "__main__":
    take_the_place_of_the_double()
    run(HERE / sys.argv[1])
