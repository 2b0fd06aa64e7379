"""A report in long form: one line per cell and indicator, each with its provenance."""

from __future__ import annotations

import pandas as pd

from dashboard.reports import describe
from dashboard.reports.language import whole_number
from dashboard.reports.model import ReportTable
from dashboard.reports.provenance import ReportProvenance
from data.files.safe_cells import safe_frame

COUNT = "0"  # the format of a column of counts


def to_long(table: ReportTable, provenance: ReportProvenance) -> pd.DataFrame:
    """One row per figure.

    Returns
    -------
    DataFrame
        ``part`` (cell or indicator), ``row, column`` (keys), ``row_label_id, row_label_en, column_label_id,
        column_label_en, value`` (null where there is none), ``state, formula, score, overridden``, then the
        provenance, the same on every row.
    """
    columns = {column.key: column for column in table.columns}
    rows = {row.key: row for row in table.rows}
    lines, by_hand = [], {(change.row, change.column) for change in table.overrides}
    for cell in table.cells.values():
        row, column = rows[cell.row], columns[cell.column]
        labels = {
            f"column_label_{tongue}": " · ".join(
                filter(None, (column.group_label.get(tongue, ""), column.label[tongue]))
            )
            for tongue in ("id", "en")
        }
        labels |= {f"row_label_{tongue}": describe.row_words(table, row, tongue) for tongue in ("id", "en")}
        lines.append(
            {
                "part": "cell",
                "row": cell.row,
                "column": cell.column,
                **labels,
                "value": _told(cell.value, column.format),
            }
            | {"state": cell.state, "formula": cell.formula, "score": None}
            | {"overridden": (cell.row, cell.column) in by_hand}
        )
    for line in table.lines:
        part = line.indicator
        lines.append(
            {"part": "indicator", "row": "", "column": part.key, "row_label_id": "", "row_label_en": ""}
            | {"column_label_id": part.label["id"], "column_label_en": part.label["en"]}
            | {
                "value": _told(line.value, part.format),
                "state": line.state,
                "formula": part.formula,
                "score": line.score,
            }
            | {"overridden": False}
        )
    # As objects, or one missing value would make a float of every count.
    frame = pd.DataFrame(lines, dtype=object).assign(**_origin(table, provenance))
    order = ["part", "row", "column", "row_label_id", "row_label_en", "column_label_id", "column_label_en"]
    return frame[[*order, *(name for name in frame.columns if name not in order)]]


def _told(value: object, form: str) -> object:
    """A value as it is written: a count whole."""
    return whole_number(value) if form == COUNT else value


def to_csv(table: ReportTable, provenance: ReportProvenance) -> bytes:
    """:func:`to_long` as UTF-8 CSV with a byte order mark; texts that begin like a formula are escaped."""
    frame = safe_frame(to_long(table, provenance))
    return frame.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig")


def _origin(table: ReportTable, provenance: ReportProvenance) -> dict:
    return {
        "profile": table.profile.id,
        "profile_version": table.profile.version,
        "program_code": table.selection.program_code,
        "level": table.selection.level,
        "ts": table.selection.ts,
        "snapshot": table.snapshot.isoformat() if table.snapshot else "",
        "audience": "external" if table.external else "internal",
        "institution": provenance.institution,
        "synthetic": provenance.synthetic,
        "status": provenance.status,
        "report_id": provenance.report_id,
        "report_version": provenance.report_version,
        "prepared_by": provenance.prepared_name or provenance.prepared_by,
        "approved_by": provenance.approved_name or provenance.approved_by,
        "software": provenance.software,
        "row_counts": "; ".join(f"{name} {count}" for name, count in provenance.row_counts.items()),
        "content_sha256": provenance.content_sha256,
        "seal": provenance.seal,
    }
