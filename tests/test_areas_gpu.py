"""Areas and gaps as GPUs find them, without one: in numba's CUDA simulator, and as PTX on a CPU, each in a process of its own."""

from __future__ import annotations

from cuda_process import ROUNDED_EACH, arithmetic, in_each_way, needs_compiler, ptx_of


@in_each_way
def test_areas_and_gaps_equal_all_pairs(way, more):
    assert way("cuda_areas.py", str(8 * more)) == [
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
