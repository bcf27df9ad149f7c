"""Reading addresses and deals: any supported file or data frame in, checked numpy arrays out.

``read_addresses`` and ``read_deals`` are the two ways in. Every kind of source becomes a stream of Arrow record
batches (``sources``, ``formats``), every batch is checked and reduced to the few arrays that are needed (``chunks``,
``columns``, ``spatial``), and the pieces are put together per table (``addresses``, ``deals``, ``coverage``). On a GPU
``device`` does the same for addresses with cuDF.
"""

from gpu_clusters.io.addresses import read_addresses
from gpu_clusters.io.deals import read_deals
from gpu_clusters.io.model import Addresses, Deals, InputFile, InvalidRows, TableRead

__all__ = ["Addresses", "Deals", "InputFile", "InvalidRows", "TableRead", "read_addresses", "read_deals"]
