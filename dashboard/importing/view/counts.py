"""How many rows an import adds, changes and leaves, as a table."""

from __future__ import annotations

import pandas as pd

from dashboard.shell import current_session


def counts_table(counts: dict[str, dict[str, int]]) -> pd.DataFrame:
    """New, changed and unchanged rows by table."""
    words = current_session.words()
    return pd.DataFrame(
        [
            {words("column.table"): words(f"data.kind_{table}")}
            | {words(f"column.{name}"): number[name] for name in ("new", "changed", "same")}
            for table, number in counts.items()
        ]
    )
