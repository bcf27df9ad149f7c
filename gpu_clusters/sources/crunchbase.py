"""Crunchbase's funding rounds: the daily export, the export of 2015, and the older rounds with companies.

None has coordinates: ``gpu-clusters geocode`` finds them by city, state and country. The state is ``region`` in the daily export,
and ``state`` in the others, whose ``region`` is the metropolis.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from gpu_clusters.errors import InputError
from gpu_clusters.settings import Years
from gpu_clusters.sources.blocks import find
from gpu_clusters.sources.cells import ENDINGS, Layout
from gpu_clusters.sources.lookup import Lookup, lookup
from gpu_clusters.sources.skips import Skips
from gpu_clusters.sources.tables import Table

VENTURE = ("angel", "pre_seed", "seed", "venture", "series_unknown", *(f"series_{letter}" for letter in "abcdefghij"))
"""Rounds that count as venture capital: not debt, grants, crowdfunding, private equity, nor what comes after an offering."""

_PLACE = {"country": ("country_code",), "state": ("state_code",), "region": ("region",), "city": ("city",)}
_ROUNDS = {
    "deal_id": ("uuid", "funding_round_uuid"),
    "organization": ("org_name", "company_name"),
    "year": ("announced_on", "funded_at"),
    "round_type": ("investment_type", "funding_round_type"),
    **_PLACE,
}
_OLD_ROUNDS = {
    "deal_id": ("funding_round_permalink",),
    "company": ("company_permalink",),
    "year": ("funded_at",),
    "round_type": ("funding_round_type",),
}
_COMPANIES = {"key": ("permalink",), "organization": ("name",), **_PLACE}
_OPTIONAL = ("state", "region")


@dataclass(frozen=True)
class WithCompanies(Table):
    """Rounds that name their company by its key alone."""

    companies: Lookup | None = None

    def enrich(self, rows: pa.Table, tally: Counter[str]) -> pa.Table:
        """Add the company's name and place."""
        assert self.companies is not None
        return self.companies.add(rows, "company", tally)

    def check(self, tally: Counter[str]) -> None:
        """Refuse rounds of which none is of a company of the table of companies."""
        assert self.companies is not None
        self.companies.check("company", self.files[0], tally)


def crunchbase(
    paths: Sequence[Path],
    skips: Skips,
    *,
    years: Years = (None, None),
    types: Sequence[str] = VENTURE,
    encoding: str = "utf-8",
) -> Table:
    """Find the files of whichever export it is, and read the companies.

    Raises
    ------
    InputError
        Neither ``funding_rounds`` nor ``rounds`` with ``companies``, or another layout.
    """
    kinds = {"round_type": tuple(types)} if types else {}
    files = find(paths, "funding_rounds", ENDINGS)
    if files:
        layout = Layout(_ROUNDS, _OPTIONAL, encoding=encoding)
        return Table("crunchbase", "deals", files, layout, years, kinds, unique=True)
    files = find(paths, "rounds", ENDINGS) or find(paths, "rounds2", ENDINGS)
    companies = find(paths, "companies", ENDINGS)
    if not files or not companies:
        raise InputError(
            f"{', '.join(map(str, paths))}: there is neither funding_rounds.csv nor rounds.csv with companies.csv"
        )
    known = lookup(companies, Layout(_COMPANIES, _OPTIONAL, encoding=encoding), skips, companies[0].name)
    layout = Layout(_OLD_ROUNDS, encoding=encoding)
    return WithCompanies(
        "crunchbase", "deals", files, layout, years, kinds, unique=True, others=companies, companies=known
    )
