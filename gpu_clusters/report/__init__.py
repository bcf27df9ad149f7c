"""Results that people can read: tables, figures, maps and one page, from the files of a result alone."""

from __future__ import annotations

from gpu_clusters.report.contents import Contents, read
from gpu_clusters.report.write import write

__all__ = ["Contents", "read", "write"]
