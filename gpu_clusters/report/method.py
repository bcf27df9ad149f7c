"""The footnote of everything: how the numbers came about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpu_clusters.report.contents import Contents


def method(contents: Contents) -> list[str]:
    """Sentences on the method and the settings of a run, from its manifest."""
    record = contents.manifest
    settings: Mapping[str, Any] = record.get("settings", {})
    said = [
        "Fractional counts: a document with k geocoded addresses gives 1/k to each. Shares are percentages of all geocoded "
        "documents and deals; the total share is the sum of the three and decides the rank."
    ]
    if settings:
        merging = settings.get("merge_km")
        said.append(
            f"Weighted DBSCAN, radius {settings.get('radius_km'):g} km, density {settings.get('density'):,g}, weighting "
            f"{settings.get('weighting')}, border locations to the {settings.get('border')} core neighbour; "
            + ("no merging" if merging is None else f"neighbours up to {merging:g} km apart merged by shared documents")
            + f"; area {settings.get('area_degrees'):g} degrees around the members."
        )
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


def inputs(contents: Contents) -> list[tuple[str, str, Any, str]]:
    """Table, name, rows and sha256 of each input file."""
    return [
        (str(file.get("table", "")), str(file.get("name", "")), file.get("rows"), str(file.get("sha256") or ""))
        for file in contents.manifest.get("inputs", [])
    ]
