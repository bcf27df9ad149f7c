"""Workbooks of spreadsheet programs, which are not read."""

from __future__ import annotations

from gpu_clusters.errors import InputError

ENDINGS = (".xls", ".xlsx", ".xlsm", ".ods")
ADVICE = "save the sheet as CSV in UTF-8"
_FIRST_BYTES = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # of a ZIP archive, as newer workbooks are; of an older one


def refuse_workbook(name: str, first: bytes) -> None:
    """Raise `InputError` if a file that is read as text begins as a workbook does, whatever its ending.

    Parameters
    ----------
    name : str
        Of the file, for the message.
    first : bytes
        At least its first four bytes.
    """
    if first.startswith(_FIRST_BYTES):
        raise InputError(f"{name}: is a workbook, as Excel writes them, or an archive, and no text; {ADVICE}")
