"""A synthetic snapshot in OpenAlex's layout, as JSON lines or Parquet.

One part of `WORKS` works is drawn; the others are the same with other ids, so that a large snapshot is made quickly.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.json as pa_json
import pyarrow.parquet as pq

INSTITUTIONS = 100_000
UNPLACED = 0.02
ABSTRACT = 120
"""Words of an abstract, which is most of a work's text, as in the real snapshot."""
WORKS = 65_536
AUTHORS = 3.0
"""Mean of the authors beyond the first."""
SEVERAL = 0.15
NONE = 0.1
"""Shares of the authors with two institutions, and with none."""
_PART = "@@@@"


def make(folder: Path, rows: int, form: str) -> int:
    """Make a snapshot of about so many rows of authors and institutions, or add to a smaller one; how many there are."""
    rng = np.random.default_rng(0)
    _write(folder, "institutions", 0, "".join(_institutions(rng)).encode(), form)
    lines, in_part = _works(rng)
    text = "".join(lines).encode()
    parts = max(round(rows / in_part), 1)
    for part in range(parts):
        _write(folder, "works", part, text.replace(_PART.encode(), f"{part:04d}".encode()), form)
    return parts * in_part


def _write(folder: Path, entity: str, part: int, text: bytes, form: str) -> None:
    place = folder / "data" / form / entity / f"updated_date=2026-{part // 28 % 12 + 1:02d}-{part % 28 + 1:02d}"
    place.mkdir(parents=True, exist_ok=True)
    if (place / f"part_{part:04d}.{'gz' if form == 'jsonl' else 'parquet'}").exists():
        return
    if form == "jsonl":
        (place / f"part_{part:04d}.gz").write_bytes(gzip.compress(text, 1))
        return
    read = pa_json.ReadOptions(block_size=1 << 26)
    pq.write_table(pa_json.read_json(pa.BufferReader(text), read_options=read), place / f"part_{part:04d}.parquet")


def _institutions(rng: np.random.Generator) -> Iterator[str]:
    lon, lat = rng.uniform(-180, 180, INSTITUTIONS).round(4), rng.uniform(-60, 70, INSTITUTIONS).round(4)
    placed = rng.random(INSTITUTIONS) >= UNPLACED
    for i in range(INSTITUTIONS):
        record = {
            "id": f"https://openalex.org/I{i}",
            "ror": f"https://ror.org/{i:09d}",
            "display_name": f"University No. {i}",
            "country_code": _country(i),
            "geo": {
                "city": f"City {i % 5_000}",
                "geonames_city_id": str(i % 5_000),
                "country_code": _country(i),
                "latitude": float(lat[i]) if placed[i] else None,
                "longitude": float(lon[i]) if placed[i] else None,
            },
        }
        yield json.dumps(record) + "\n"


def _country(i: int) -> str:
    return chr(65 + i % 20) + chr(65 + i // 20 % 10)


def _works(rng: np.random.Generator) -> tuple[list[str], int]:
    """Lines of a part, and its rows."""
    words = [f"word{i}" for i in rng.integers(0, 9_999, 4_096)]
    lines, rows = [], 0
    for number, authors in enumerate(1 + rng.poisson(AUTHORS, WORKS)):
        chance, at = rng.random(authors), (rng.random((authors, 2)) ** 3 * INSTITUTIONS).astype(int)
        listed = [
            list(dict.fromkeys(pair[: 0 if c < NONE else 2 if c > 1 - SEVERAL else 1].tolist()))
            for c, pair in zip(chance, at, strict=True)
        ]
        rows += sum(max(len(one), 1) for one in listed)
        start = int(rng.integers(0, 4_096 - ABSTRACT))
        record = {
            "id": f"https://openalex.org/W{_PART}{number:06d}",
            "doi": f"https://doi.org/10.1000/{_PART}{number:06d}",
            "title": " ".join(words[start : start + 12]),
            "publication_year": 2019 + number % 5,
            "type": "review" if number % 10 == 0 else "article",
            "is_retracted": number % 1_000 == 0,
            "authorships": [_author(int(rng.integers(10**9)), one) for one in listed],
            "abstract": " ".join(words[start : start + ABSTRACT]),
        }
        lines.append(json.dumps(record) + "\n")
    return lines, rows


def _author(author: int, institutions: list[int]) -> dict[str, object]:
    return {
        "author_position": "middle",
        "author": {"id": f"https://openalex.org/A{author}", "display_name": f"Author {author}", "orcid": None},
        "institutions": [
            {
                "id": f"https://openalex.org/I{i}",
                "display_name": f"University No. {i}",
                "ror": f"https://ror.org/{i:09d}",
                "country_code": _country(i),
                "type": "education",
                "lineage": [f"https://openalex.org/I{i}"],
            }
            for i in institutions
        ],
        "countries": sorted({_country(i) for i in institutions}),
        "is_corresponding": False,
        "raw_author_name": f"Author {author}",
        "raw_affiliation_strings": [
            f"Department of Something, University No. {i}, City" for i in institutions or [author]
        ],
        "affiliations": [
            {
                "raw_affiliation_string": f"Department of Something, University No. {i}, City",
                "institution_ids": [f"https://openalex.org/I{i}"],
            }
            for i in institutions
        ],
    }
