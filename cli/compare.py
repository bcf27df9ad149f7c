"""``gpu-clusters compare``: two editions side by side."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer
from gpu_clusters_cli import options as o
from gpu_clusters_cli.app import Command, app
from gpu_clusters_cli.errors import say
from gpu_clusters_cli.numbers import whole

from gpu_clusters.errors import UsageError
from gpu_clusters.wording import counted

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from gpu_clusters.editions import Comparison

SHOWN = 20


@app.command(cls=Command)
def compare(
    a: Annotated[str, typer.Argument(metavar="A", show_default=False, help="Folder of the earlier result.")],
    b: Annotated[str, typer.Argument(metavar="B", show_default=False, help="Folder of the later result, today's.")],
    out: o.Out = None,
    top: Annotated[
        int,
        typer.Option(
            metavar="N",
            parser=whole(1),
            show_default=False,
            help="How many clusters to show. Those that entered and left the first N are told too. [dim](default 20)[/dim]",
        ),
    ] = SHOWN,
    force: o.Force = False,
    json: o.Json = False,
) -> None:
    """Show what changed from one result to the next.

    [bold]Example:[/bold] gpu-clusters compare result-2024 result-2025 --top 100 --out changes

    A is the earlier edition, B today's. Clusters are matched by the weight of identical places. Shown are B's ranks, how far
    each cluster moved, how its share of the world changed in percentage points, and which of patents, publications and deals
    moved it most; then which clusters came, went, split (two or more of B's each hold 10 % of its weight) and merged.

    Into the folder --out, if it is given, go all clusters: comparison.csv, comparison.parquet, splits.csv, mergers.csv and
    manifest.json.
    """
    from gpu_clusters.staging import check_out

    if out is not None:
        check_out(out, force=force)
        if os.path.realpath(out) in (os.path.realpath(a), os.path.realpath(b)):
            raise UsageError(f"--out {out} is one of the results to compare: give another folder")

    from gpu_clusters.editions import compare as compute

    found = compute(a, b)
    if out is not None:
        found.write(out, force=force)
    for warning in found.manifest["warnings"]:
        say(f"warning: {warning}")
    if json:
        _emit_json(found, top, out)
    else:
        _emit(found, top)
        say(_summary(found) + (f" -> {out}" if out is not None else ""))


def _emit_json(found: Comparison, top: int, out: str | None) -> None:
    from gpu_clusters_cli.output import emit_json

    tables = {
        "clusters": found.clusters[(found.clusters["rank"] <= top).fillna(False)],
        "entered_top": found.entered(top),
        "left_top": found.left(top),
        "splits": found.splits,
        "mergers": found.mergers,
    }
    rows = {name: table.to_dict("records") for name, table in tables.items()}
    emit_json({"out": out, "top": top, "summary": found.manifest, **rows})


def _emit(found: Comparison, top: int) -> None:
    from gpu_clusters_cli.output import emit, emit_table

    today = found.clusters[found.clusters["rank"].notna()]
    if len(today):
        emit_table(_table(today.head(top)))
    lines = _listed(f"entered the first {top}", found.entered(top), top, "rank", "previous_rank", "was")
    lines += _listed(f"left the first {top}", found.left(top), top, "previous_rank", "rank", "now")
    lines += _parts("split, with parts of its weight then", found.splits, top, "previous_", "")
    lines += _parts("merged, with parts of its weight now", found.mergers, top, "", "previous_")
    if lines:
        emit("\n".join(lines) + "\n")


def _table(rows: pd.DataFrame) -> Table:
    from gpu_clusters_cli.output import move
    from rich.table import Table
    from rich.text import Text

    table = Table(title=None, box=None, pad_edge=False, header_style="bold")
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("change", justify="right", no_wrap=True)
    table.add_column("cluster", max_width=32, overflow="ellipsis", no_wrap=True)
    for title in ("share %", "points"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("moved by", no_wrap=True)
    for row in rows.itertuples(index=False):
        points = "" if row.status != "matched" else f"{row.total_share_change:+.2f}"
        cells = (str(row.rank), move(row), _place(row), f"{row.total_share:.2f}", points, row.moved_by or "")
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _listed(title: str, rows: pd.DataFrame, top: int, rank: str, other: str, verb: str) -> list[str]:
    """Clusters in lines of their own, with their rank in the other edition."""
    import pandas as pd

    lines = [f"{title}:"] if len(rows) else []
    for row in rows.head(top).itertuples(index=False):
        elsewhere = getattr(row, other)
        known = f"{verb} {elsewhere}" if not pd.isna(elsewhere) else _kin(row)
        lines.append(f"  {getattr(row, rank):>4} {_place(row)} ({known})")
    return lines + _more(len(rows) - top)


def _kin(row: Any) -> str:
    """What an entrant was part of, what a leaver is part of."""
    import pandas as pd

    if row.status == "entrant":
        return "new" if pd.isna(row.came_from_id) else f"was part of cluster {row.came_from_id} of A"
    return "gone" if pd.isna(row.went_to_id) else f"now part of cluster {row.went_to_id} of B"


def _parts(title: str, parts: pd.DataFrame, top: int, whole: str, part: str) -> list[str]:
    """A line for each cluster that split or merged; ``whole`` and ``part``: "" for clusters of B, "previous_" for those of A."""
    found = {key: list(rows.itertuples(index=False)) for key, rows in parts.groupby(f"{whole}cluster_id", sort=True)}
    lines = [f"{title}:"] if found else []
    for rows in list(found.values())[:top]:
        of = ", ".join(f"{_named(row, part)} {row.weight_pct:.0f} %" for row in rows)
        lines.append(f"  {_named(rows[0], whole)}: {of}")
    return lines + _more(len(found) - top)


def _named(row: Any, side: str) -> str:
    from gpu_clusters_cli.errors import printable

    name = getattr(row, f"{side}name")
    said = f" ({printable(name)})" if isinstance(name, str) else ""
    return f"cluster {getattr(row, f'{side}cluster_id')} of {'A' if side else 'B'}{said}"


def _more(left: int) -> list[str]:
    return [f"  and {left:,} more"] if left > 0 else []


def _place(row: Any) -> str:
    """The name of a cluster, or its economies and where it is."""
    from gpu_clusters_cli.errors import printable

    for name in (row.name, row.previous_name):
        if isinstance(name, str):
            return printable(name)
    economies = f"{printable(row.economies)} " if isinstance(row.economies, str) else ""
    return f"{economies}{row.lat:.2f}, {row.lon:.2f}"


def _summary(found: Comparison) -> str:
    record = found.manifest
    return (
        f"{counted(record['matched'], 'cluster is', 'clusters are')} in both editions ({record['rose']:,} rose, "
        f"{record['fell']:,} fell), "
        f"{record['entrants']:,} came, {record['leavers']:,} went; {record['splits']:,} split, {record['mergers']:,} merged"
    )
