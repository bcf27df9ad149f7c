"""What numba-cuda makes of kernels for an H100, without one: needs numba-cuda, and nvJitLink to go all the way."""

from __future__ import annotations

import re
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from numba import cuda, typeof
from numba.cuda import codegen, dispatcher

try:
    from cuda.bindings import nvjitlink
except ImportError:
    nvjitlink = None

HOPPER = SimpleNamespace(compute_capability=(9, 0))  # what the compiler asks the driver about
dispatcher.get_current_device = lambda: HOPPER
codegen.devices = SimpleNamespace(get_context=lambda: SimpleNamespace(device=HOPPER))


def show(kernel: Any, *args: Any) -> None:
    """Print the name of a kernel or of a function, made into one, for such arguments, what it takes of a GPU, and its PTX."""
    if not hasattr(kernel, "py_func"):
        kernel = cuda.jit(kernel)
    code = ptx_of(kernel, args)
    taken = f"// {assembled(code.encode())}\n" if nvjitlink is not None else ""
    print(f"==== {kernel.__name__}\n{taken}{code}")


def ptx_of(kernel: Any, args: Iterable[Any]) -> str:
    """PTX of a kernel for such arguments.

    The way is that of a launch. Where there is nvJitLink, numba-cuda leaves optimisation to it, and the PTX is the linker's.
    """
    made = dispatcher._Kernel(kernel.py_func, tuple(map(typeof, args)), **kernel.targetoptions).library
    if nvjitlink is None or not kernel.targetoptions.get("lto"):
        return made.get_asm_str()
    made.get_cubin()  # all that it calls is there
    return made.get_lto_ptx().strip("\0")


def assembled(code: bytes) -> str:
    """Registers and stack of a thread, and what of its registers goes to memory, by the assembler."""
    options = ["-arch=sm_90a", "-verbose"]
    linker = nvjitlink.create(len(options), options)
    nvjitlink.add_data(linker, nvjitlink.InputType.PTX, code, len(code), "kernel")
    nvjitlink.complete(linker)
    said = bytearray(nvjitlink.get_info_log_size(linker))
    nvjitlink.get_info_log(linker, said)
    nvjitlink.destroy(linker)
    registers = max(map(int, re.findall(r"[Uu]sed (\d+) registers", said.decode())))
    stack, spilled = re.findall(r"(\d+) bytes stack frame, (\d+) bytes spill stores", said.decode())[-1]
    return f"{registers} registers, {stack} bytes of stack, {spilled} bytes spilled"
