"""Disks that are full: one line that says where, and nothing left; a limit on the size of files stands for them."""

from __future__ import annotations

import resource
import subprocess
import sys

from program import process, tree

CUBE = """
import resource, sys
import numpy as np, xarray as xr
from gpu_clusters.sweeps.files import write_cube
layers = {name: ("n", np.random.default_rng(0).random(4000)) for name in "abcdefgh"}
write_cube(xr.Dataset(layers), "whole.nc")
read = xr.load_dataset("whole.nc", engine="h5netcdf")
assert read.identical(xr.Dataset(layers))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
try:
    write_cube(xr.Dataset(layers), "part.nc")
except OSError as error:
    print(error.strerror)
"""


def test_a_cube_is_an_error_and_no_crash(tmp_path):
    """HDF5 itself crashes at some sizes when it writes to a full disk."""
    for most in (1_000, 6_000, 20_000, 200_000):
        done = subprocess.run(
            [sys.executable, "-c", CUBE, str(most)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "File too large\n", "")


def test_temporary_files(tmp_path):
    (tmp_path / "temporary").mkdir()
    ran = process(
        *("demo", "--scale", "0.005", "--out", "out"),
        cwd=tmp_path,
        env={"TMPDIR": str(tmp_path / "temporary")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4_000,) * 2),
    )
    assert ran.code == 1 and ran.out == ""
    where = f"error: cannot write temporary files in {tmp_path / 'temporary'}: "
    assert ran.err.startswith(where) and ran.err.count("\n") == 1
    assert ran.err.endswith("; make room there, or name another folder in the environment variable TMPDIR\n")
    assert tree(tmp_path) == {"temporary": "folder"}
