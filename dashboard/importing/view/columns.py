"""The columns of uploaded tables on the page: a select for every header."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import streamlit as st

from dashboard.importing import columns as import_columns
from dashboard.importing.columns import IGNORED, FileColumns
from dashboard.importing.plan import TABLES, UploadedFile
from dashboard.shell import current_session, stores
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from data.files.mapping import Mapping


def choose_columns(
    files: Sequence[UploadedFile], kinds: Sequence[str], mapping: Mapping | None
) -> Mapping | None:
    """What every header means, as detected until the reader says otherwise.

    Returns
    -------
    Mapping or None
        With the reader's choices; ``mapping`` itself when there are none.
    """
    read = [_read(file, kind, mapping) for file, kind in zip(files, kinds, strict=True) if kind in TABLES]
    known = {file.table: file for file, _ in read if file is not None}
    if not known:
        return mapping
    marks = {file.table: mark for file, mark in read if file is not None}
    chosen = {table: _choices(file, marks[table]) for table, file in known.items()}
    base = next(iter(known.values())).match.mapping.title
    own = import_columns.own_mapping(
        list(known.values()), chosen, current_session.words()("data.own", base=base)
    )
    return mapping if own is None else own


def _read(file: UploadedFile, table: str, mapping: Mapping | None) -> tuple[FileColumns | None, str]:
    """The headers of a file, read once per session and choice of layout."""
    kept = st.session_state.setdefault(Key.COLUMNS, {})
    mark = hashlib.sha256(file.data).hexdigest()[:8]
    key = (mark, file.name, table, None if mapping is None else mapping.name)
    if key not in kept:
        kept[key] = import_columns.read_columns(stores.store(), file, table, mapping)
    return kept[key], f"{mark}-{mapping.name if mapping else 'auto'}"


def _choices(file: FileColumns, mark: str) -> dict[str, str]:
    words = current_session.words()
    label = words(
        "data.map_understood",
        table=words(f"data.kind_{file.table}"),
        known=len(file.match.headers),
        all=len(file.headers),
        layout=plain(file.match.mapping.title),
    )
    lacking = import_columns.missing(file.table, file.given)
    with st.expander(label, icon=":material/view_column:", expanded=bool(lacking), key=f"map-{file.table}"):
        st.caption(words("data.map_help"))
        grid = st.grid(3, min_column_width=220, gap="small", key=f"map-grid-{file.table}")
        chosen = {}
        for place, header in enumerate(file.headers):
            with grid.cell():
                chosen[header] = st.selectbox(
                    plain(header),
                    file.options,
                    index=file.options.index(file.given[header]),
                    format_func=_meaning,
                    key=f"map-{file.table}-{mark}-{place}",
                    help=_sample(file.samples[header]),
                )
        _say_what_is_wrong(file.table, chosen)
    return chosen


def _meaning(column: str) -> str:
    words = current_session.words()
    if column == IGNORED:
        return words("data.map_ignore")
    own = f"import_column.{column}"
    return words(own) if words.has(own) else words.named("column", column)


def _sample(cells: tuple[str, ...]) -> str | None:
    return current_session.words()("data.map_sample", values=", ".join(map(plain, cells))) if cells else None


def _say_what_is_wrong(table: str, chosen: dict[str, str]) -> None:
    words = current_session.words()
    lacking = import_columns.missing(table, chosen)
    if lacking:
        st.warning(
            words("data.map_missing", columns=", ".join(map(_meaning, lacking))), icon=":material/warning:"
        )
    for column in import_columns.taken_twice(chosen):
        named = words("data.map_taken", table=words(f"data.kind_{table}"), column=_meaning(column))
        st.warning(named, icon=":material/warning:")
