"""The export button of a page: CSV and Excel, made on demand, marked and written into the audit log."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd
import streamlit as st

from dashboard.shell import auditing, current_session, exports, stores


def export_bar(
    frame: pd.DataFrame | Callable[[], pd.DataFrame],
    name: str,
    *,
    about_people: bool = True,
    **filters: object,
) -> None:
    """Offer ``frame`` as CSV and Excel.

    Parameters
    ----------
    frame : DataFrame or callable
        What to export; a callable is asked only when a button is pressed.
    name : str
        Beginning of the file name; no personal data.
    about_people : bool
        Whether a row is about one person, so that the file must say that it is confidential. Left out only by
        tables of counts.
    **filters
        What the page was filtered by, written into the provenance sheet.
    """
    words = current_session.words()
    provenance = _provenance(filters, about_people)
    with st.popover(words("export.label"), icon=":material/download:", key=f"export-{name}"):
        for kind, mime in exports.MIME.items():
            st.download_button(
                words(f"export.{kind}"),
                data=auditing.handed_out(partial(_bytes, frame, kind, provenance), "export", name, kind=kind),
                file_name=exports.file_name(
                    name, kind, synthetic=provenance.synthetic, on=current_session.today()
                ),
                mime=mime,
                key=f"export-{name}-{kind}",
                on_click="ignore",
                icon=":material/table_view:" if kind == "xlsx" else ":material/csv:",
                width="stretch",
            )


def _bytes(frame, kind: str, provenance: exports.TableProvenance) -> bytes:
    return exports.to_bytes(frame() if callable(frame) else frame, kind, provenance)


def _provenance(filters: dict, about_people: bool) -> exports.TableProvenance:
    person = current_session.person()
    return exports.TableProvenance(
        words=current_session.words(),
        synthetic=stores.is_synthetic(),
        mixed=stores.is_mixed(),
        time_zone=current_session.zone_name(),  # as the page tells moments
        role=person.role if person else "",
        data_version=stores.data_version(),
        model_version=stores.served_version(),
        about_people=about_people,
        filters={key: str(value) for key, value in filters.items() if value not in (None, "", ())},
    )
