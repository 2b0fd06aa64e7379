"""The triggers that make tables append-only, for SQLite and PostgreSQL.

No row of these tables is ever updated, but for the one column that a change of the store's key seals anew
(``CHANGEABLE``), all others staying as they are.
A row is deleted only where a student's right to erasure reaches it: an erasure first leaves its receipt in
``erasures``, and the trigger lets a DELETE pass for the student named there, for the kinds of erasure listed
in ``ERASABLE``. The versions that an import replaced, and the consents that it brought, go when that import
is undone (``UNDOABLE``). An approved report is frozen.

On SQLite an INSERT OR REPLACE takes the row that stood there away, and a DELETE trigger does not see that
unless the connection asks for it (``recursive_triggers``). So an INSERT of a key that exists is refused as
well: whoever opens the file with another program meets the same guard.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, Inspector, Table, UniqueConstraint, inspect, text

from data.schema import APPEND_ONLY, metadata

# table → condition under which the erasure row e allows the DELETE of the row OLD
ERASABLE = {
    "scores": "e.student_key = OLD.student_key AND (e.kind = 'student' OR OLD.modality = 'fused')",
    "explanations": (
        "EXISTS (SELECT 1 FROM scores s WHERE s.score_id = OLD.score_id AND s.student_key = e.student_key"
        " AND (e.kind = 'student' OR s.modality = 'fused'))"
    ),
    "consents": "e.student_key = OLD.student_key AND e.kind = 'student'",
    "case_events": "e.student_key = OLD.student_key AND e.kind IN ('identity', 'student')",
    "row_history": (
        "e.student_key = OLD.student_key AND (e.kind = 'student'"
        " OR e.kind = 'identity' AND OLD.table_name = 'students')"
    ),
    **dict.fromkeys(
        ("enrolments", "verification_decisions", "reviews"),
        "e.student_key = OLD.student_key AND e.kind IN ('signatures', 'identity', 'student')",
    ),
    "signature_predictions": "e.student_key = OLD.student_key",  # all that was made of a signature goes
    "trial_students": "e.student_key = OLD.student_key AND e.kind = 'student'",
    "duplicate_reviews": (
        "e.student_key IN (OLD.student_key, OLD.second_student)"
        " AND e.kind IN ('signatures', 'identity', 'student')"
    ),
}
UNDOABLE = {
    "row_history": (
        "EXISTS (SELECT 1 FROM imports i WHERE i.import_id = OLD.replaced_by AND i.undone_at IS NOT NULL)"
    ),
    "consents": (
        "EXISTS (SELECT 1 FROM imports i WHERE i.import_id = OLD.import_id AND i.undone_at IS NOT NULL)"
    ),
}

# table → the one column of it that changes, while the store gets another key
CHANGEABLE = {
    "trial_seeds": "ciphertext",
    **dict.fromkeys(("case_events", "reviews", "duplicate_reviews"), "sealed"),
}
_KEY_CHANGES = "EXISTS (SELECT 1 FROM store_facts f WHERE f.name = 'key_changing')"


def install_triggers(connection: Connection) -> None:
    """Create every trigger, replacing those of the same name.

    A table that the next revision is to make, and that the schema names already, has to wait for it.
    """
    inspector = inspect(connection)
    there = set(inspector.get_table_names())
    tables = [table.name for table in APPEND_ONLY if table.name in there]
    if connection.dialect.name == "sqlite":
        named = [*tables, "reports"]
        statements = _sqlite(tables, {one: _columns(inspector, one) for one in named if one in there})
    else:
        statements = _postgresql(tables)
    for statement in statements:
        connection.execute(text(statement))


def unguarded_tables(connection: Connection) -> list[str]:
    """Tables whose triggers are missing, switched off or others than :func:`install_triggers` makes.

    Returns
    -------
    list of str
        Names, sorted; empty in a store as it should be.
    """
    tables = [*(table.name for table in APPEND_ONLY), "reports"]
    guarded = _guarded_sqlite if connection.dialect.name == "sqlite" else _guarded_postgresql
    return sorted(set(tables) - guarded(connection))


def _guarded_sqlite(connection: Connection) -> set[str]:
    wanted = {one for one in _sqlite([table.name for table in APPEND_ONLY]) if one.startswith("CREATE")}
    rows = connection.execute(text("SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"))
    there = {(table, sql) for table, sql in rows}
    lacking = {_table_of(sql) for sql in wanted if (_table_of(sql), sql) not in there}
    return {_table_of(sql) for sql in wanted} - lacking


def _table_of(statement: str) -> str:
    return statement.partition(" ON ")[2].split()[0]


# Of pg_trigger.tgtype: for each row 1, before 2, DELETE 8, UPDATE 16, TRUNCATE 32.
_ROW_GUARD, _TRUNCATE_GUARD = 1 + 2 + 8 + 16, 2 + 32
_IN_FORCE = """
SELECT c.relname, t.tgname, t.tgtype, p.prosrc FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgqual IS NULL
  AND cardinality(t.tgattr::smallint[]) = 0 AND pg_table_is_visible(c.oid)
"""


def _guarded_postgresql(connection: Connection) -> set[str]:
    bodies = {}
    for statement in _postgresql([table.name for table in APPEND_ONLY]):
        if statement.startswith("CREATE OR REPLACE FUNCTION"):
            name = statement.split()[4].partition("(")[0]
            bodies[name] = statement.split("$$")[1]
    there = {tuple(row) for row in connection.execute(text(_IN_FORCE))}
    guarded = set()
    for table in [*(table.name for table in APPEND_ONLY), "reports"]:
        row = (table, f"tr_{table}_guard", _ROW_GUARD, bodies[f"tepat_guard_{table}"])
        whole = (table, f"tr_{table}_no_truncate", _TRUNCATE_GUARD, bodies["tepat_no_truncate"])
        if {row, whole} <= there:
            guarded.add(table)
    return guarded


def _allowed(table: str) -> str:
    if table not in ERASABLE:
        return "1 = 0"
    allowed = f"EXISTS (SELECT 1 FROM erasures e WHERE {ERASABLE[table]})"  # noqa: S608 (constants above)
    return f"({allowed} OR {UNDOABLE[table]})" if table in UNDOABLE else allowed


def _columns(inspector: Inspector, table: str) -> set[str]:
    return {column["name"] for column in inspector.get_columns(table)}


def _sqlite(tables: list[str], columns: Mapping[str, set[str]] | None = None) -> list[str]:
    """The statements; ``columns`` are those of an earlier revision, which may lack some of the schema's."""
    made = []
    columns = columns or {name: set(metadata.tables[name].c.keys()) for name in [*tables, "reports"]}
    for table in tables:
        refused = _no_resealing(columns[table], CHANGEABLE.get(table))
        made += _sqlite_trigger(table, "update", refused, f"{table} is append-only: UPDATE refused")
        made += _sqlite_trigger(
            table, "delete", f"NOT {_allowed(table)}", f"{table} is append-only: DELETE refused"
        )
        made += _sqlite_trigger(
            table, "insert", _taken(table, columns[table]), f"{table} is append-only: REPLACE refused"
        )
    frozen = "reports: an approved report is frozen"
    for action in ("update", "delete"):
        made += _sqlite_trigger("reports", action, "OLD.status = 'approved'", frozen)
    taken = _taken("reports", columns["reports"], "one.status = 'approved' AND ")
    return made + _sqlite_trigger("reports", "insert", taken, frozen)


def _no_resealing(columns: set[str], sealed: str | None) -> str:
    """Whether an UPDATE is anything but a sealed column's change while the key changes."""
    if sealed not in columns:
        return "1 = 1"
    same = " AND ".join(f"NEW.{one} IS OLD.{one}" for one in sorted(columns - {sealed}))
    return f"NOT ({_KEY_CHANGES} AND {same})"


def _taken(name: str, columns: set[str], which: str = "") -> str:
    """Whether NEW has a key, or the hidden row number, of a row that is there: REPLACE would take it away."""
    table = metadata.tables[name]
    keys = " OR ".join(
        f"({' AND '.join(f'one.{part} = NEW.{part}' for part in key)})"
        for key in _keys(table)
        if columns >= set(key)
    )
    return f"EXISTS (SELECT 1 FROM {name} one WHERE {which}(one.rowid = NEW.rowid OR {keys}))"  # noqa: S608


def _keys(table: Table) -> list[list[str]]:
    """The columns of each key of a table: the primary one, and those that are unique besides."""
    found = [[column.name for column in table.primary_key.columns]]
    unique = [one for one in table.constraints if isinstance(one, UniqueConstraint)]
    found += [[column.name for column in one.columns] for one in unique]
    found += [[column.name for column in one.columns] for one in table.indexes if one.unique]
    return [found[0], *sorted(found[1:])]


def _sqlite_trigger(table: str, action: str, refused_when: str, message: str) -> list[str]:
    name = f"tr_{table}_no_{'replace' if action == 'insert' else action}"
    return [
        f"DROP TRIGGER IF EXISTS {name}",
        f"CREATE TRIGGER {name} BEFORE {action.upper()} ON {table} WHEN {refused_when}\n"
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END",
    ]


def _postgresql(tables: list[str]) -> list[str]:
    made = []
    for table in tables:
        allowed = f"TG_OP = 'DELETE' AND {_allowed(table)}"
        if table in CHANGEABLE:
            same = " = ".join(f"to_jsonb({one}) - '{CHANGEABLE[table]}'" for one in ("NEW", "OLD"))
            allowed = f"{allowed} OR TG_OP = 'UPDATE' AND {_KEY_CHANGES} AND {same}"
        made += _postgresql_guard(table, allowed, f"{table} is append-only: % refused", "TG_OP")
        made += _postgresql_truncate(table)
    made += _postgresql_guard(
        "reports", "OLD.status <> 'approved'", "reports: an approved report is frozen against %", "TG_OP"
    )
    made += _postgresql_truncate("reports")
    return made


def _postgresql_guard(table: str, allowed: str, message: str, argument: str) -> list[str]:
    return [
        f"""CREATE OR REPLACE FUNCTION tepat_guard_{table}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF {allowed} THEN
    IF TG_OP = 'DELETE' THEN RETURN OLD; ELSE RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION '{message}', {argument};
END $$""",
        f"DROP TRIGGER IF EXISTS tr_{table}_guard ON {table}",
        f"CREATE TRIGGER tr_{table}_guard BEFORE UPDATE OR DELETE ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION tepat_guard_{table}()",
    ]


def _postgresql_truncate(table: str) -> list[str]:
    return [
        """CREATE OR REPLACE FUNCTION tepat_no_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only: TRUNCATE refused', TG_TABLE_NAME; END $$""",
        f"DROP TRIGGER IF EXISTS tr_{table}_no_truncate ON {table}",
        f"CREATE TRIGGER tr_{table}_no_truncate BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION tepat_no_truncate()",
    ]
