"""Both languages are complete, numbers are written each language's way, and code asks for no unknown text."""

import re
from datetime import date, datetime
from pathlib import Path

import pytest

from dashboard.reports.language import read_texts
from dashboard.reports.words import figure
from dashboard.shell.wording import LANGUAGES, Words, _texts, language_of
from data.columns import BANDS, ROLES, SPECIMEN_CONTEXTS, TARGETS, TERM_STATUSES
from fusion.features.feature_list import FEATURES

ROOT = Path(__file__).resolve().parents[3]
FIELD = re.compile(r"{(\w+)}")


def _sources() -> list[Path]:
    own = [ROOT / "streamlit_app.py", *(ROOT / "dashboard").glob("*.py")]
    for folder in ("pages", "components", "charts"):
        own += (ROOT / "dashboard" / folder).glob("*.py")
    return own


def test_both_languages_have_the_same_keys():
    assert set(_texts("en")) == set(_texts("id"))


def test_both_languages_fill_in_the_same_values():
    english, indonesian = _texts("en"), _texts("id")
    for key, text in english.items():
        assert set(FIELD.findall(text)) == set(FIELD.findall(indonesian[key])), key


def test_no_text_is_empty_and_few_are_the_same_in_both_languages():
    english, indonesian = _texts("en"), _texts("id")
    assert all(text.strip() for text in [*english.values(), *indonesian.values()])
    same = [key for key in english if english[key] == indonesian[key]]
    assert len(same) < 0.12 * len(english), same


def test_every_key_that_code_names_exists():
    known = _texts("en")
    asked = set()
    for path in _sources():
        asked |= set(re.findall(r'words\(\s*"([\w.]+)"', path.read_text(encoding="utf-8")))
    assert len(asked) > 100
    assert sorted(asked - set(known)) == []


def test_the_vocabulary_of_the_data_is_worded():
    words = Words("id")
    wanted = [f"band.{name}" for name in BANDS] + [f"role.{name}" for name in ROLES]
    wanted += [f"target.{name}" for name in TARGETS] + [f"status.{name}" for name in TERM_STATUSES]
    wanted += [f"context.{name}" for name in SPECIMEN_CONTEXTS]
    wanted += [feature.label_key for feature in FEATURES.values()]
    assert [key for key in wanted if not words.has(key)] == []


@pytest.mark.parametrize(
    ("language", "number", "percent", "signed"),
    [("en", "1,234.5", "12.3%", "+1.2"), ("id", "1.234,5", "12,3%", "+1,2")],
)
def test_numbers_are_written_in_the_readers_way(language, number, percent, signed):
    words = Words(language)
    assert words.number(1234.5, 1) == number
    assert words.percent(0.123, 1) == percent
    assert words.signed(1.2, 1) == signed


def test_a_negative_number_has_a_true_minus_sign_and_zero_no_sign():
    assert Words("en").signed(-3) == "−3"
    assert Words("en").signed(0.0) == "0"
    assert Words("en").signed(0.04, 1) == "0.0"


@pytest.mark.parametrize(
    ("risk", "shown"), [(0.0, "1"), (0.004, "1"), (0.344, "34"), (0.999, "99"), (1.0, "99")]
)
def test_a_risk_is_never_shown_as_certain(risk, shown):
    assert Words("en").of_100(risk) == shown


def test_what_is_missing_is_a_dash():
    words = Words("en")
    nothing = float("nan")
    assert {words.number(None), words.number(nothing), words.percent(None), words.day(None)} == {"–"}
    assert {words.term(None), words.term(nothing), words.of_100(None)} == {"–"}


def test_dates_and_terms_are_named():
    assert Words("en").day(date(2026, 5, 3)) == "3 May 2026"
    assert Words("id").day(datetime(2026, 5, 3, 12)) == "3 Mei 2026"
    assert Words("en").day("2026-05-03") == "3 May 2026"
    assert Words("en").term(20251) == "Odd 2025/26"
    assert Words("id").term(19992) == "Genap 1999/00"


def test_counts_follow_the_language():
    assert Words("en").count("students", 1) == "1 student"
    assert Words("en").count("students", 1200) == "1,200 students"
    assert Words("id").count("students", 1200) == "1.200 mahasiswa"


@pytest.mark.parametrize(
    ("locale", "language"), [("id-ID", "id"), ("en-GB", "en"), ("fr", "en"), (None, "en")]
)
def test_the_browsers_locale_chooses_the_language(locale, language):
    assert language_of(locale) == language


def test_an_unknown_language_or_key_is_refused():
    with pytest.raises(ValueError, match="language must be one of en, id, got 'fr'"):
        Words("fr")
    with pytest.raises(KeyError):
        Words("en")("no.such.key")
    assert set(LANGUAGES) == {"en", "id"}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("value", [0.125, 1234.5, -0.5, 0.0])
def test_pages_and_reports_write_the_same_figures(language, value):
    words = Words(language)
    assert figure(value, "0.00", language) == words.number(value, 2)
    assert figure(value, "0.0%", language) == words.percent(value, 1)


def test_texts_are_read_by_dotted_keys_and_the_later_file_counts(tmp_path):
    first, second = tmp_path / "a.toml", tmp_path / "b.toml"
    first.write_text('top = "1"\n[a]\nx = "2"\n[a.b]\ny = "3"\n', encoding="utf-8")
    second.write_text('[a]\nx = "4"\n', encoding="utf-8")
    assert read_texts(first, second) == {"top": "1", "a.x": "4", "a.b.y": "3"}


def test_a_word_is_chosen_by_its_number():
    words = Words("en")
    assert words("audit.whole", n=1).startswith("Whole: 1 entry, ")
    assert words("audit.whole", n=1200).startswith("Whole: 1,200 entries, ")
    assert words("unit.days", value="1") == "1 day" and words("unit.days", value="0") == "0 days"


THINGS = (  # counted on pages
    *("students", "terms", "files", "rows", "cases", "pairs", "references", "signatures", "specimens"),
    *(
        "tables",
        "programmes",
        "years",
        "days",
        "seconds",
        "minutes",
        "things",
        "cells",
        "problems",
        "figures",
    ),
    *("advisors", "jobs", "entries", "opinions", "steps", "groups", "points"),
)
SET = {"fewest", "least", "most", "minimum", "needed", "limit", "maximum", "normal", "required"}  # never 1
NEVER_ONE = {  # limits, or sums of many
    *("bulk.too_many", "views.full", "why.few", "why.nearly_all", "why.note", "export.suppressed_note"),
    *("fitness.late_one_cohort", "fitness.dropout_one_cohort", "job_step.asking_feeder_n_rows"),
    *("overview.gap", "fitness.few_students", "verification.unproven", "audit.newest", "trial.result_about"),
}


def test_no_text_counts_one_of_several():
    counted = re.compile(rf"{{(\w+)}} (?:{'|'.join(THINGS)})\b")
    found = {
        key: text
        for key, text in _texts("en").items()
        if not key.startswith("count.") and key not in NEVER_ONE
        for name in counted.findall(text)
        if name not in SET
    }
    assert found == {}


UNUSUAL = {  # what no campus says → what it says
    r"\bsaringan": "filter",
    r"\bsks\b": "SKS",
    r"[Pp]enyaringan administratif": "skrining administratif",
    r"[Pp]etugas registrasi": "bagian akademik",
    r"[Pp]engesampingan": "penilaian dosen wali",
    r"[Tt]enang sementara": "tunda pengingat",
    r"(?<!kepercayaan )95 ?(%|persen)(?= .{0,3}$)|([Ss]elang|[Ii]nterval) 95": "selang kepercayaan 95%",
    r"masih di sini$": "mahasiswa yang bertahan",
    r"diharapkan, bukan": "perkiraan",
}


def test_indonesian_texts_say_what_a_campus_says_and_write_decimals_with_a_comma():
    texts = _texts("id")
    for pattern, instead in UNUSUAL.items():
        assert [key for key, text in texts.items() if re.search(pattern, text)] == [], instead
    point = re.compile(r"(?<![\w.`/-])\d+\.\d{1,2}(?![\d.\w])")  # 1.000 is a thousand
    dotted = {key: text for key, text in texts.items() if point.search(text)}
    assert dotted == {}
