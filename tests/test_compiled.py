"""Where the compiled kernels are kept, and until when."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from numba import njit

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("variable", ["NUMBA_CACHE_DIR", "CUPY_CACHE_DIR"])
def test_a_folder_for_the_compiled_kernels(variable, tmp_path, monkeypatch):
    from gpu_clusters import compiled

    monkeypatch.setattr(compiled, "_writable", lambda _: False)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    for name in ("NUMBA_CACHE_DIR", "CUPY_CACHE_DIR"):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)
    compiled.keep_kernels()
    folder = Path(os.environ[variable])
    assert folder.parent == tmp_path and folder.stat().st_mode & 0o777 == 0o700
    folder.chmod(0o777)  # anybody could put a program there
    monkeypatch.delenv(variable)
    compiled.keep_kernels()
    assert os.environ[variable] != str(folder)
    monkeypatch.setenv(variable, "mine")
    compiled.keep_kernels()
    assert os.environ[variable] == "mine"
    monkeypatch.delenv(variable)
    monkeypatch.delattr(os, "getuid", raising=False)  # Windows, whose temporary folders are the user's own
    compiled.keep_kernels()
    assert Path(os.environ[variable]) == tmp_path / "gpu-clusters"


def test_a_home_that_is_none_gives_cupy_a_folder_and_leaves_numba_its_own(tmp_path, monkeypatch):
    from gpu_clusters import compiled

    (tmp_path / "file").touch()
    (tmp_path / "cache").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "file"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    for name in ("NUMBA_CACHE_DIR", "CUPY_CACHE_DIR"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    compiled.keep_kernels()
    assert "NUMBA_CACHE_DIR" not in os.environ and Path(os.environ["CUPY_CACHE_DIR"]).parent == tmp_path


A_SUM = """
import numpy as np, gpu_clusters
from gpu_clusters.kernels import totals
total = totals.nothing(1)
totals.add(total, np.zeros(3, int), np.ones(3))
print(*totals.sums(total), *(sum(counts.values()) for counts in totals._add.stats[1:]), gpu_clusters.__file__)
"""


def test_a_kernel_is_compiled_again_when_what_it_calls_of_another_file_has_changed(tmp_path):
    """As after an update that changed the one file and not the other."""
    shutil.copytree(
        ROOT / "gpu_clusters", tmp_path / "gpu_clusters", ignore=shutil.ignore_patterns("__pycache__", ".*")
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}

    def found() -> list[str]:
        command = [sys.executable, "-c", A_SUM]
        done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
        return done.stdout.split()

    own = str(tmp_path / "gpu_clusters" / "__init__.py")
    assert found() == ["3.0", "0", "1", own]
    assert found() == ["3.0", "1", "0", own]
    exact = tmp_path / "gpu_clusters" / "kernels" / "exact.py"
    exact.write_text(exact.read_text().replace("= parts(value)", "= parts(2 * value)"))
    assert found() == ["6.0", "0", "1", own]


@pytest.mark.parametrize("kernel", [SimpleNamespace(), SimpleNamespace(_cache=SimpleNamespace(_cache_file=None))])
def test_what_numba_keeps_in_another_way_is_not_kept(kernel):
    from gpu_clusters.compiled import cached

    given = []

    def jit(**options):
        given.append(options)
        return lambda _: kernel

    assert cached(jit, nogil=True)(print) is kernel
    assert given == [{"cache": True, "nogil": True}, {"nogil": True}]


def test_kernels_of_a_process_that_compiles_nothing_are_functions():
    from gpu_clusters.compiled import cached

    def twice(value):
        return 2 * value

    assert cached(lambda **_: lambda function: function)(twice) is twice
    assert cached(njit)(twice)(4) == 8


def compiled_functions(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.decorator_list:
            decorators = [ast.unparse(decorator) for decorator in function.decorator_list]
            if any(name.startswith("cached(") or name in ("point_function", "on_cpu") for name in decorators):
                yield function


def test_all_that_kernels_have_of_other_files_is_in_what_they_are_kept_for():
    """Files whose contents `compiled.cached` looks at; Numba itself looks at a kernel's own."""
    known = ("gpu_clusters.kernels", "gpu_clusters.engines")
    counted = 0
    for path in (ROOT / "gpu_clusters").rglob("[!.]*.py"):
        tree = ast.parse(path.read_text())
        imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        origin = {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in imports for alias in node.names}
        for function in compiled_functions(tree):
            counted += 1
            names = {node.id for part in function.body for node in ast.walk(part) if isinstance(node, ast.Name)}
            taken = [origin[name] for name in names if origin.get(name, "").startswith("gpu_clusters.")]
            assert all(name.startswith(known) for name in taken), (path, function.name, taken)
    assert counted > 100


def test_no_kernel_is_kept_otherwise():
    sources = [*(ROOT / "gpu_clusters").rglob("[!.]*.py"), *(ROOT / "cli").rglob("[!.]*.py")]
    assert [path.name for path in sources if "cache=True" in path.read_text()] == ["compiled.py"]


def test_sources_are_told_apart_by_any_of_their_files(tmp_path, monkeypatch):
    from gpu_clusters import compiled

    (tmp_path / "kernels").mkdir()
    files = [tmp_path / "compiled.py", tmp_path / "kernels" / "one.py"]
    for file in files:
        file.write_text("1")
    (tmp_path / "kernels" / ".#one.py").symlink_to("user@host.1234")  # as Emacs has for a file that is being changed
    monkeypatch.setattr(compiled, "__file__", str(files[0]))
    sources = compiled.sources.__wrapped__  # which has read nothing yet
    whole, some = sources("**/*.py"), sources("kernels/*.py")
    files[0].write_text("2")
    assert sources("kernels/*.py") == some and sources("**/*.py") != whole
    changed = sources("**/*.py")
    files[1].write_text("2")
    assert sources("kernels/*.py") != some and sources("**/*.py") not in (whole, changed)
