"""Results of processors that round and sort otherwise: NumPy has its own loops for each kind, glibc its own sines."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from program import process, tree


def addresses(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Addresses to a hundredth of a degree, many of them at one place, about towns, the date line and the poles."""
    towns = np.array(
        [(2.35, 48.86), (139.7, 35.7), (180, -16.5), (0, 90), (40, -90), *rng.uniform((-180, -60), (180, 60), (25, 2))]
    )
    at = towns[rng.integers(len(towns), size=rows)]
    lon, lat = (at + rng.normal(0, 0.1, (rows, 2))).round(2).T
    return pd.DataFrame(
        {
            "doc_id": rng.integers(rows // 2, size=rows),
            "lon": (lon + 180) % 360 - 180,
            "lat": lat.clip(-90, 90),
            "country": rng.choice(["FR", "JP", "FJ", "NO"], rows),
            "organization": rng.integers(300, size=rows),  # many with equal counts
        }
    )


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder, rng = tmp_path_factory.mktemp("processors"), np.random.default_rng(11)
    for table, rows in (("patents", 6000), ("publications", 9000), ("deals", 2000)):
        addresses(rng, rows).to_csv(folder / f"{table}.csv", index=False)
    return folder


@pytest.mark.parametrize(
    "args",
    [
        ("rank", "--density", 60),
        ("rank", "--density", 60, "--boundary", "concave"),
        ("sweep", "--radius-km", "5:25:5", "--density", "20:120:20", "--baseline", "15,60", "--merge"),
    ],
    ids=["rank", "concave", "sweep"],
)
def test_files_are_the_same_bytes_on_plainer_processors(tables, tmp_path, args):
    loops = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    plainer = {
        "NPY_DISABLE_CPU_FEATURES": " ".join(loops),
        "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX2_Usable,-FMA_Usable",
    }
    given = [part for table in ("patents", "publications", "deals") for part in (f"--{table}", f"{table}.csv")]
    found = []
    for out, env in ((tmp_path / "as-it-is", {}), (tmp_path / "plainer", plainer)):
        ran = process(*args, *given, "--out", out, cwd=tables, env=env)
        assert ran.code == 0, ran
        found.append(tree(out))
        assert found[-1].pop("manifest.json")
    assert found[0] == found[1] and len(found[0]) > 4
