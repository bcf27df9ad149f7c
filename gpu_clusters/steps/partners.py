"""Which clusters work together: documents with addresses in both."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array, triu

from gpu_clusters.arrays import namespace, repeat_each, to_host
from gpu_clusters.io.model import Addresses
from gpu_clusters.schema import PARTNERS


def partners_table(
    patents: Addresses | None,
    publications: Addresses | None,
    patent_cluster: NDArray[np.int64] | None,
    publication_cluster: NDArray[np.int64] | None,
    clusters: int,
) -> pd.DataFrame:
    """Numbers of documents that pairs of clusters share, in the columns of ``schema.PARTNERS``.

    Parameters
    ----------
    patents, publications : Addresses or None
        A table that is absent counts 0.
    patent_cluster, publication_cluster : (n,) int64
        Cluster id of each of the table's rows, -1 for none.
    clusters : int
        Number of clusters; their ids are 1..clusters.

    Returns
    -------
    DataFrame
        Each pair that shares a document once, ``cluster_id`` < ``partner_id``, sorted by both.
    """
    shared = [
        shared_documents(table.doc_start, cluster, clusters)
        if table is not None and cluster is not None
        else csr_array((clusters + 1, clusters + 1), dtype=np.int64)
        for table, cluster in ((patents, patent_cluster), (publications, publication_cluster))
    ]
    pairs = (shared[0] + shared[1]).tocoo()
    one, other = pairs.coords
    order = np.lexsort((other, one))
    one, other = one[order].astype(np.int64), other[order].astype(np.int64)
    numbers = [np.asarray(table[one, other]).astype(np.int64) for table in shared] if len(one) else [one, one]
    return pd.DataFrame(dict(zip(PARTNERS, (one, other, *numbers), strict=True)))


def shared_documents(doc_start: NDArray[np.int64], cluster: NDArray[np.int64], clusters: int) -> csr_array:
    """Documents by pair of clusters, above the diagonal; (clusters + 1, clusters + 1) int64.

    The matrix of documents by clusters, which says where a document has an address, times itself.
    """
    column, ends = _several(doc_start, cluster)
    where = csr_array((np.ones(len(column), np.int8), column, ends), shape=(len(ends) - 1, clusters + 1))
    where.sum_duplicates()
    where = csr_array((np.ones(len(where.indices), np.int64), where.indices, where.indptr), shape=where.shape)
    return csr_array(triu(where.T @ where, k=1, format="csr"))


def _several(doc_start: Any, cluster: Any) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Clusters of the rows of documents in more than one, and the ends of these documents; counted where the rows are."""
    xp = namespace(cluster)
    inside = cluster > 0
    start = _totals(inside)[doc_start]
    sizes = xp.diff(start)
    column = cluster[inside].astype(np.int32)
    changes = _totals(column[1:] != column[:-1])  # among the rows before each
    several = sizes > 1
    several[several] = changes[start[1:][several] - 1] > changes[start[:-1][several]]
    rows = repeat_each(several, sizes)
    return to_host(column[rows]), to_host(_totals(sizes[several]))


def _totals(values: Any) -> Any:
    """Sum of all values before each, and of all."""
    xp = namespace(values)
    return xp.concatenate((xp.zeros(1, np.int64), xp.cumsum(values, dtype=np.int64)))
