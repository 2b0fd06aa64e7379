"""What a pull found, as files that spreadsheet programs open."""

from __future__ import annotations

from data.feeder.pull import Pulled
from data.files.returned import returned_csv, returned_workbook

COUNTS, MISSING, REFUSED = "reconciliation.csv", "not-in-feeder.csv", "refused-rows.xlsx"
_IDENTITY = ("student_number",)


def files_of(pulled: Pulled, *, identified: bool) -> list[tuple[str, bytes]]:
    """Name and content of each table.

    Parameters
    ----------
    identified : bool
        Whether the reader may see who is meant; without it students stand there by their opaque key, and the
        refused rows, which are whole records, are left out.

    Returns
    -------
    list of (str, bytes)
        The counts by programme and term; what we have and Feeder has not; refused rows, if there are any.
    """
    both = pulled.reconciliation
    missing = both.missing if identified else both.missing.drop(columns=list(_IDENTITY))
    files = [
        (COUNTS, returned_csv(both.counts.astype("str"))),
        (MISSING, returned_csv(missing.astype("str"))),
    ]
    if identified and pulled.plan.returned:
        files.append((REFUSED, returned_workbook(pulled.plan.returned)))
    return files
