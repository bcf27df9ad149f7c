"""What a GPU without room ends a step with, and what is left as it is."""

from __future__ import annotations

import sys

import doubles
import numpy as np
import pyarrow as pa
import pytest

from gpu_clusters import backend
from gpu_clusters.errors import DeviceMemoryError


@pytest.mark.parametrize(
    "error",
    [
        MemoryError("std::bad_alloc"),
        RuntimeError("[CUDA_ERROR_OUT_OF_MEMORY]"),
        RuntimeError("cudaErrorMemory out of memory"),
    ],
)
def test_a_full_device_names_the_step_and_what_to_do(error):
    with (
        pytest.raises(DeviceMemoryError, match=r"full in step 'cluster' .* use device 'cpu'") as failed,
        backend.on_gpu("cluster"),
    ):
        raise error
    assert failed.value.exit_code == 1


@pytest.mark.parametrize("error", [MemoryError("512 bytes"), RuntimeError("cudaErrorMemoryAllocation: out of memory")])
def test_a_lack_of_memory_that_a_library_swallows_ends_the_step(error):
    before = sys.unraisablehook
    with pytest.raises(DeviceMemoryError, match="full in step 'locate'") as failed, backend.on_gpu("locate"):
        doubles.Swallowed(error)
    assert failed.value.exit_code == 1
    with pytest.raises(DeviceMemoryError, match="full in step 'merge'"), backend.on_gpu("merge"):
        doubles.Swallowed(MemoryError("Out of memory allocating 512 bytes"))
        raise IndexError("of numbers that are wrong")
    assert sys.unraisablehook is before


def test_other_errors_that_are_swallowed_are_told_as_before(monkeypatch):
    said = []
    monkeypatch.setattr(sys, "unraisablehook", lambda error: said.append(str(error.exc_value)))
    with backend.on_gpu("locate"):
        doubles.Swallowed(ValueError("of somebody's"))
    assert said == ["of somebody's"]


def test_other_errors_stay_as_they_are():
    with pytest.raises(RuntimeError, match="illegal address"), backend.on_gpu("cluster"):
        raise RuntimeError("illegal address")
    with pytest.raises(MemoryError) as failed, backend.on_gpu("cluster"):
        np.empty(2**55)
    assert not isinstance(failed.value, DeviceMemoryError)
    with pytest.raises(pa.ArrowMemoryError), backend.on_gpu("read patents"):
        raise pa.ArrowMemoryError("malloc failed")
