"""The footnote of everything: how the numbers came about."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from gpu_clusters.report.contents import Contents
from gpu_clusters.report.escape import one_line
from gpu_clusters.report.ranges import unlike
from gpu_clusters.texts import setting


def method(contents: Contents) -> list[str]:
    """Sentences on the method and the settings of a run, from its manifest."""
    record = contents.manifest
    settings: Mapping[str, Any] = record.get("settings", {})
    said = [
        "Fractional counts: a document with k geocoded addresses gives 1/k to each. Shares are percentages of all geocoded "
        "documents and deals; the total share is the sum of the three and decides the rank."
    ]
    if any(file.get("table") == "regions" for file in record.get("inputs", [])):
        said.append("What is ranked are given polygons; nothing is clustered.")
    elif settings:
        said.append(_clustering(settings))
    years = [f"{table} {_window(*window)}" for table, window in (settings.get("years") or {}).items()]
    if years:
        said.append(f"Years: {', '.join(years)}.")
    totals = record.get("totals", {})
    if totals:
        said.append(
            f"{totals.get('patents', 0):,.0f} patents with {totals.get('inventor_addresses', 0):,} inventors' addresses, "
            f"{totals.get('publications', 0):,.0f} publications with {totals.get('author_addresses', 0):,} authors' addresses, "
            f"{totals.get('deals', 0):,.0f} deals; {record.get('locations', 0):,} distinct locations."
        )
    if contents.has("population"):
        said.append("Intensity: total share (percent) per million people who live in the cluster's area.")
    version = record.get("versions", {}).get("gpu-clusters")
    if version:
        said.append(f"gpu-clusters {version}, engine {record.get('engine')}, {str(record.get('created', ''))[:10]}.")
    return said


def _window(first: int | None, last: int | None) -> str:
    if first is None or last is None:
        return "all" if first == last else f"up to {last}" if first is None else f"from {first} on"
    return f"{first} to {last}"


def _clustering(settings: Mapping[str, Any]) -> str:
    merging, boundary, crs = settings.get("merge_km"), str(settings.get("boundary", "area")), settings.get("crs")
    if boundary == "area":
        outline = f"area {setting(settings['area_degrees'])} degrees around the members"
    else:
        outline = "boundary " + re.split(r"[/\\]", boundary)[-1]
    return (
        f"Weighted DBSCAN, radius {setting(settings['radius_km'])} km{f' in {crs}' if crs else ''}, "
        f"density {setting(settings['density'])}, weighting {settings.get('weighting')}, "
        f"border locations to the {settings.get('border')} core neighbour; "
        + (
            "no merging"
            if merging is None
            else f"neighbours up to {setting(merging)} km apart merged by shared documents"
        )
        + f"; {outline}."
    )


def inputs(contents: Contents) -> list[tuple[str, str, Any, str]]:
    """Table, name without needless folders, rows and sha256 of each input file."""
    short = _short_names(contents)
    return [
        (
            str(file.get("table", "")),
            short[one_line(str(file.get("name", "")))],
            file.get("rows"),
            str(file.get("sha256") or ""),
        )
        for file in contents.manifest.get("inputs", [])
    ]


def warnings(contents: Contents) -> list[str]:
    """Warnings of the run, with files named as by `inputs`, and of what does not fit together."""
    found = [one_line(str(warning)) for warning in contents.manifest.get("warnings", [])]
    for name, short in sorted(_short_names(contents).items(), key=lambda pair: -len(pair[0])):
        found = [warning.replace(name, short) for warning in found] if name else found
    return found + unlike(contents)


def _short_names(contents: Contents) -> dict[str, str]:
    """The last parts of the names of files, as many as tell them apart."""
    names = dict.fromkeys(one_line(str(file.get("name", ""))) for file in contents.manifest.get("inputs", []))
    ends = {name: _ends(name) for name in names}
    times = Counter(end for several in ends.values() for end in several)
    return {name: next((end for end in several if times[end] == 1), name) for name, several in ends.items()}


def _ends(name: str) -> list[str]:
    """The last part of a name, the last two, and so on."""
    parts = re.split(r"(?<=[/\\])", name)
    return ["".join(parts[-number:]) for number in range(1, len(parts) + 1)]
