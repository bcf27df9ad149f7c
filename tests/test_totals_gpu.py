"""Kernels that count people on GPUs, without one: in numba's CUDA simulator and as PTX on a CPU, in processes of their own."""

from __future__ import annotations

import re

from cuda_process import ROUNDED_EACH, arithmetic, in_each_way, needs_compiler, ptx_of


@in_each_way
def test_people_are_the_cpus(way, more):
    assert way("cuda_totals.py", str(6 * more)) == [
        "people in areas equal all pairs",
        "sums of values equal the CPU's",
        "full limbs are carried",
        "people from rasters equal the CPU's",
        "nothing is copied twice",
    ]


@needs_compiler
def test_the_kernels_compile_to_ptx_that_adds_whole_numbers():
    compiled = ptx_of("cuda_totals.py")
    assert set(compiled) == {"gather", "add", "carry", "only_any_within"}
    for name, code in compiled.items():
        atomic = set(re.findall(r"\b(?:atom|red)\.\S+", code))
        assert atomic == ({"atom.global.add.u64"} if name in ("gather", "add") else set()), name
    assert not arithmetic(compiled["add"] + compiled["carry"])
    assert arithmetic(compiled["only_any_within"]) == ROUNDED_EACH  # the distance test
