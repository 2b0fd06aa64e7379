"""The templates of the import page: made from the schema, and read back without a question."""

from __future__ import annotations

from datetime import date

import pytest

from data.files.mapping import TABLES
from data.files.matching import detect_mapping
from data.files.register_files import Source, guess_table
from data.files.templates import _SAID_ELSEWHERE, HEADERS, template, template_workbook
from data.records.ingest import plan_import

TODAY = date(2026, 11, 1)


@pytest.mark.parametrize("language", list(HEADERS))
@pytest.mark.parametrize("table", list(TABLES))
def test_a_template_names_every_column_once_and_is_recognised(table, language):
    made = template(table, language)
    match = detect_mapping(list(made.columns), table)
    wanted = {column.name for column in TABLES[table]} - set(_SAID_ELSEWHERE[table])
    assert set(match.headers) == wanted
    assert (match.missing, match.unknown, match.left_out, match.elsewhere) == ((), (), (), ())
    assert match.mapping.name == HEADERS[language]
    assert not wanted & set(made.columns)  # a header is a word of the language, no name of ours
    assert guess_table("contoh.xlsx", template_workbook(table, language)) == table


@pytest.mark.parametrize("language", list(HEADERS))
def test_the_filled_in_templates_pass_the_check_together(store, language):
    books = {table: template_workbook(table, language) for table in TABLES}
    sources = [Source(table, f"{table}.xlsx", book) for table, book in books.items()]
    plan = plan_import(sources, None, store=store, today=TODAY)
    errors = plan.problems[plan.problems["severity"] == "error"]
    assert errors.to_dict("records") == []
    assert plan.counts["students"]["new"] == 3
    assert plan.counts["terms"]["new"] == 3
    assert plan.counts["consents"]["new"] == 3
