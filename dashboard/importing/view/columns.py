"""The columns of uploaded tables on the page: a select for every header."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping as Dict
from collections.abc import Sequence

import streamlit as st

from dashboard.importing import columns as import_columns
from dashboard.importing.columns import IGNORED, FileColumns, Said
from dashboard.importing.labels import label_of, layout_of, needed_of, value_of
from dashboard.importing.plan import UploadedFile
from dashboard.importing.view.answers import begin_with_last, keep
from dashboard.shell import current_session, stores
from dashboard.shell.plain import plain
from dashboard.shell.session_keys import Key
from data.columns import Column
from data.files.mapping import TABLES as COLUMNS
from data.files.mapping import ZERO_MEANINGS, Mapping
from data.files.reading import Reading


def choose_columns(
    files: Sequence[UploadedFile],
    kinds: Sequence[str],
    mapping: Mapping | None,
    reading: Dict[str, Reading],
) -> Mapping | None:
    """What every header means, as detected until the reader says otherwise.

    Returns
    -------
    Mapping or None
        With the reader's choices; ``mapping`` itself when there are none.
    """
    read = [
        _read(file, table, mapping, reading.get(kind, Reading()))
        for file, kind in zip(files, kinds, strict=True)
        for table in import_columns.tables_of_kind(kind)
    ]
    read = [(file, mark) for file, mark in read if file is not None]
    if "register" in kinds:  # of one file for all, the tables of which it holds more than a number
        read = [(file, mark) for file, mark in read if len(file.match.headers) > 1]
    known = {file.table: file for file, _ in read}
    if not known:
        return mapping
    marks = {file.table: mark for file, mark in read}
    chosen, said = {}, {}
    for table, file in known.items():
        first = next(iter(said.values()), Said())  # a number of its own is said once for all tables of a file
        shared = {name: text for name, text in first.fixed.items() if name == "student_number"}
        others = [name for name in known if name != table and marks[name] == marks[table]]
        mine = [known[name].match.headers.values() for name in others]
        chosen[table], said[table] = _choices(
            file, marks[table], shared if "register" in kinds else {}, frozenset().union(*mine)
        )
    words = current_session.words()
    base = layout_of(words, next(iter(known.values())).match.mapping.title)
    title = words("data.own", base=base)
    own = import_columns.own_mapping(list(known.values()), chosen, title, said)
    return mapping if own is None else own


def _read(
    file: UploadedFile, table: str, mapping: Mapping | None, reading: Reading
) -> tuple[FileColumns | None, str]:
    """The headers of a file, read once per session and choice of layout."""
    kept = st.session_state.setdefault(Key.COLUMNS, {})
    mark = hashlib.sha256(file.data).hexdigest()[:8]
    about = hashlib.sha256(repr((reading.sheets, reading.encoding)).encode()).hexdigest()[:6]
    key = (mark, file.name, table, None if mapping is None else mapping.name, about)
    if key not in kept:
        kept[key] = import_columns.read_columns(stores.store(), file, table, mapping, reading)
    return kept[key], f"{mark}-{mapping.name if mapping else 'auto'}-{about}"


def _choices(
    file: FileColumns, mark: str, shared: dict[str, str], elsewhere: frozenset[str]
) -> tuple[dict[str, str], Said]:
    words = current_session.words()
    label = words(
        "data.map_understood",
        table=words(f"data.kind_{file.table}"),
        known=len(file.match.headers),
        all=len(file.headers) + len(file.match.left_out),
        layout=plain(layout_of(words, file.match.mapping.title)),
    )
    lacking = import_columns.missing(file.table, file.given, {**file.fixed, **shared})
    asked = lacking or file.zeros or file.strange(file.given)
    with st.expander(label, icon=":material/view_column:", expanded=bool(asked), key=f"map-{file.table}"):
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
        fixed = shared | _fixed(file, chosen, mark, shared)
        said = Said(fixed, _meanings_of_cells(file, chosen, mark), _zero(file, mark))
        _say_what_is_wrong(file, chosen, fixed)
    _say_what_is_not_read(file, chosen, elsewhere)
    return chosen, said


def _say_what_is_not_read(file: FileColumns, chosen: dict[str, str], elsewhere: frozenset[str]) -> None:
    """Which headers give no column here, and why."""
    words = current_session.words()
    for reason, headers in import_columns.unread(file, chosen, elsewhere).items():
        st.caption(words(f"data.map_{reason}", names=", ".join(map(plain, headers)), n=len(headers)))


def _fixed(file: FileColumns, chosen: dict[str, str], mark: str, shared: dict[str, str]) -> dict[str, str]:
    """What every row says where a needed column is not in the file."""
    words, found = current_session.words(), {}
    lacking = [column for column in import_columns.may_say(file, chosen) if column not in shared]
    if not lacking:
        return found
    grid = st.grid(3, min_column_width=220, gap="small", key=f"fixed-grid-{file.table}")
    for column in lacking:
        with grid.cell():
            text = st.text_input(
                words("data.fixed", column=_meaning(column)),
                key=f"fixed-{file.table}-{mark}-{column}",
                help=words("data.fixed_help" if column != "student_number" else "data.fixed_number"),
            )
        if text.strip():
            found[column] = text.strip()
    return found


def _meanings_of_cells(file: FileColumns, chosen: dict[str, str], mark: str) -> dict[str, dict[str, str]]:
    """The meaning of each cell that is no value of its column, as the reader chooses it."""
    words, found = current_session.words(), {}
    columns = {column.name: column for column in COLUMNS[file.table]}
    for header, cells in file.strange(chosen).items():
        st.caption(words("data.codes", header=plain(header), column=_meaning(chosen[header])))
        grid = st.grid(4, min_column_width=160, gap="small", key=f"codes-grid-{file.table}-{header}")
        for place, cell in enumerate(cells):
            with grid.cell():
                value = st.selectbox(
                    plain(cell),
                    (None, *_meanings_of(columns[chosen[header]]), IGNORED),
                    format_func=lambda one, name=chosen[header]: _value(name, one),
                    key=f"code-{file.table}-{mark}-{header}-{place}",
                )
            if value is not None:
                found.setdefault(header, {})[cell] = value
    return found


def _meanings_of(column: Column) -> tuple[str, ...]:
    return column.allowed or column.by_hand


def _value(column: str, value: str | None) -> str:
    words = current_session.words()
    if value is None:
        return words("data.code_unknown")
    return words("data.code_nothing") if value == IGNORED else value_of(words, column, value)


def _zero(file: FileColumns, mark: str) -> str:
    """What a term average of 0 says, asked where a file has such averages without credits beside them.

    The answer is kept for the session, so that the file may be taken away and given again.
    """
    if not file.zeros:
        return ""
    words, about = current_session.words(), f"zero-{file.table}-{mark}"
    begin_with_last(about)
    said = st.radio(
        words("data.zero", n=file.zeros),
        ZERO_MEANINGS,
        index=None,
        format_func=lambda one: words(f"data.zero_{one}"),
        key=about,
        help=words("data.zero_help"),
    )
    return keep(about, said) or ""


def _meaning(column: str) -> str:
    words = current_session.words()
    return words("data.map_ignore") if column == IGNORED else label_of(words, column)


def _sample(cells: tuple[str, ...]) -> str | None:
    return current_session.words()("data.map_sample", values=", ".join(map(plain, cells))) if cells else None


def _say_what_is_wrong(file: FileColumns, chosen: dict[str, str], fixed: dict[str, str]) -> None:
    words, table = current_session.words(), file.table
    lacking = import_columns.missing(table, chosen, {**file.fixed, **fixed})
    if lacking:
        st.warning(
            words("data.map_missing", columns="; ".join(needed_of(words, column) for column in lacking)),
            icon=":material/warning:",
        )
    for column in import_columns.taken_twice(chosen):
        named = words("data.map_taken", table=words(f"data.kind_{table}"), column=_meaning(column))
        st.warning(named, icon=":material/warning:")
