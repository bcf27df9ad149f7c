"""Areas and gaps as GPUs find them, without one: in numba's CUDA simulator, and compiled to PTX, each in a process of its own."""

from __future__ import annotations

from cuda_process import ROUNDED_EACH, arithmetic, needs_compiler, ptx_of, simulated


def test_areas_and_gaps_in_the_simulator_equal_all_pairs():
    assert simulated("cuda_areas.py", "simulate", "8") == [
        "nearest members equal all pairs",
        "close pairs equal all pairs, block by block",
        "merging and overlay equal the CPU's",
    ]


@needs_compiler
def test_they_compile_to_ptx_that_rounds_like_a_cpu():
    compiled = ptx_of("cuda_areas.py")
    assert set(compiled) == {"find_nearest", "find_pairs", "only_test_areas", "only_test_gaps"}
    for name in ("only_test_areas", "only_test_gaps"):
        assert arithmetic(compiled[name]) == ROUNDED_EACH, name
