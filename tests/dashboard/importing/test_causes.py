"""The check of a file is summed up by cause before every cell is listed."""

from __future__ import annotations

import pytest

from dashboard.importing import plan as importing
from dashboard.importing.causes import causes_in_words
from dashboard.importing.check_result import from_json, result_of
from dashboard.importing.plan import UploadedFile
from dashboard.shell import current_session
from dashboard.shell.wording import EMPTY, Words
from data.records.causes import causes, to_mend
from data.records.checks import no_problems
from data.trust.accounts import Account

REGISTRY = Account("registry", "Registry", "registry")
PROGRAMME_OF = {place: "99999" for place in range(20)} | {place: "88888" for place in range(20, 25)}


def office_files(lost_sign: int = 15, programmes: dict[int, str] = PROGRAMME_OF) -> list[UploadedFile]:
    """Sixty students with three terms each; some programmes are unknown, some averages lost their sign."""
    students = ["NIM;Nama;Kode Prodi;Jenjang;Tahun Masuk;Jenis Kelamin;Status Awal"]
    terms = ["NIM;Semester;Status;IPS;SKS Diambil;SKS Lulus"]
    for place in range(60):
        number, code = f"02110{place:04d}", programmes.get(place, "55201")
        level = "" if place in programmes else "S1"
        sex = "X" if place in (30, 31) else "L"
        students.append(f"{number};Orang {place};{code};{level};20211;{sex};Baru")
        average = "345" if place >= 60 - lost_sign else "3,45"
        terms += [f"{number};{term};A;{average};20;20" for term in (20211, 20212, 20221)]
    sheets = {"mahasiswa.csv": students, "semester.csv": terms}
    return [UploadedFile(name, "\n".join(lines).encode()) for name, lines in sheets.items()]


def found_in(store, files: list[UploadedFile]):
    chosen = importing.chosen_files(files, ["students", "terms"])
    return result_of(importing.make_plan(store, chosen, None))


def told(found) -> dict[tuple[str, str, str], tuple[int, int]]:
    """(rule, column, value of the example) → cells and rows."""
    listed = [(one, found.problems.iloc[one.example]) for one in causes(found.problems)]
    return {(cell["rule"], cell["column"], cell["value"]): (one.cells, one.rows) for one, cell in listed}


def test_what_reddens_many_cells_is_one_line_and_the_most_frequent_comes_first(store):
    found = found_in(store, office_files())
    assert found.errors > 100
    said = told(found)
    assert list(said.items()) == [
        (("REC004", "IPS", "345"), (45, 45)),
        (("REC009", "Kode Prodi", "99999"), (20, 20)),
        (("REC009", "Kode Prodi", "88888"), (5, 5)),
        (("REC005", "Jenis Kelamin", "X"), (2, 2)),
        (("REC012", "NIM", "021100000"), (27 * 3, 27 * 3)),
    ]  # the terms of refused students follow from what is wrong with their own rows
    assert to_mend(found.problems, causes(found.problems)) == 4
    assert sum(one.cells for one in causes(found.problems)) == len(found.problems)


def test_a_wrong_column_is_one_line_however_many_values_it_has(store):
    found = found_in(store, office_files(0, {place: f"P{place:03d}" for place in range(40)}))
    unknown = {key: rows for key, rows in told(found).items() if key[0] == "REC009"}
    assert unknown == {("REC009", "Kode Prodi", "P000"): (40, 40)}
    (cause,) = [one for one in causes(found.problems) if one.cells == 40]
    assert cause.values == 40


@pytest.mark.parametrize("language", ["en", "id"])
def test_each_line_names_the_rows_an_example_and_what_to_do(store, language):
    words, found = Words(language), found_in(store, office_files())
    lines = causes_in_words(found.problems, causes(found.problems), words, found.headers)
    first = lines.iloc[0]
    assert (first["rows"], first["where"]) == ("45", "semester.csv · IPS")
    assert first["problem"] == f"{words('check_rule.REC004')} (REC004)"
    assert first["example"].startswith(words("causes.cell", row="137", value="345") + ": ")
    assert words.number(3.45, 2) in first["example"]
    assert lines["what_to_do"].tolist() == [
        words(f"check_advice.{rule}") for rule in ("REC004", "REC009", "REC009", "REC005", "REC012")
    ]
    follows = lines.iloc[-1]["example"]  # the rule says it all: it is not said twice
    assert words("check_rule.REC012") not in follows
    assert words("causes.values", n=27) in follows


def test_what_concerns_a_whole_file_has_no_row_and_an_empty_list_no_cause(store):
    files = office_files()
    files[0] = UploadedFile(files[0].name, files[0].data.replace(b";Status Awal", b";Catatan Loket"))
    found = found_in(store, files)
    lines = causes_in_words(found.problems, causes(found.problems), Words("en"), found.headers)
    line = lines[lines["problem"].str.contains("REC113")].iloc[0]
    assert line["rows"] == EMPTY
    assert causes(no_problems()) == []


def test_the_causes_are_the_same_after_the_check_was_kept(store):
    found = found_in(store, office_files())
    assert causes(from_json(found.to_json()).problems) == causes(found.problems)


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_page_counts_the_mistakes_before_it_lists_the_cells(store, served, screen, monkeypatch, language):
    served(store)
    words = Words(language)
    monkeypatch.setattr(current_session, "words", lambda: words)  # asked outside of a run too
    at = screen.drawn("data", REGISTRY, language=language)
    uploads = [(file.name, file.data, "text/csv") for file in office_files()]
    at.file_uploader(key="upload").set_value(uploads).run()
    at.button(key="check").click().run()
    assert not at.exception
    found = found_in(store, office_files())
    said = [str(one.value) for one in (*at.markdown, *at.error)]
    assert words("causes.errors", n=4, cells=found.errors) in said
    summary, cells = f"**{words('causes.title')}**", f"**{words('causes.every', n=len(found.problems))}**"
    assert said.index(summary) < said.index(cells)
    table = next(one.value for one in at.dataframe if words("causes.example") in one.value)
    assert table[words("causes.rows")].tolist() == ["45", "20", "5", "2", "81"]
