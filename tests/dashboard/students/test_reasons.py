"""SHAP contributions in words."""

from dataclasses import replace

import pytest

from dashboard.shell.wording import Words
from dashboard.students import reasons
from dashboard.students.view.reasons_panel import gaps_line, reason_line
from fusion.explanation.explain import Contribution, Explanation
from fusion.features.feature_list import FEATURES


def contribution(name: str, value, phi: float = 0.1) -> Contribution:
    feature = FEATURES[name]
    return Contribution(
        name,
        feature.label_key,
        feature.label,
        feature.group,
        "records",
        feature.unit,
        value,
        phi,
        feature.changeable,
    )


SIGNATURE = Contribution(
    "signature", "feature.signature", "signature", "signature", "signature", "", None, 0.3, False
)


@pytest.mark.parametrize(
    ("name", "value", "english", "indonesian"),
    [
        ("gpa_last", 1.844, "1.84", "1,84"),
        ("gpa_change", 0.3, "+0.30", "+0,30"),
        ("credit_pace", 0.71, "71%", "71%"),
        ("attendance_change", 0.05, "+5 points", "+5 poin"),  # of two shares: +5% would be of the first
        ("attendance_change", -0.01, "−1 point", "−1 poin"),
        ("attendance_change", 0.001, "0 points", "0 poin"),
        ("arrears_last", 43.0, "43 days", "43 hari"),
        ("credits_needed", 22.5, "22.5", "22,5"),
        ("leave_terms", 1.0, "1", "1"),
        ("even_intake", 0.0, "no", "tidak"),
        ("entry_type", "transfer", "transfer", "pindahan"),
        ("status_last", "C", "Leave", "Cuti"),
        ("status_last", "no courses", "no courses taken", "tanpa mata kuliah"),
        ("program_code", "IF", "Informatika", "Informatika"),
        ("gpa_last", None, "not recorded", "tidak tercatat"),
    ],
)
def test_values_are_shown_with_their_unit(name, value, english, indonesian):
    programs = {"IF": "Informatika"}
    assert reasons.shown_value(contribution(name, value), programs, Words("en")) == english
    assert reasons.shown_value(contribution(name, value), programs, Words("id")) == indonesian


def test_the_signature_is_one_row_without_a_value():
    explanation = Explanation("late", 0.0, 0.5, (SIGNATURE, contribution("gpa_last", 1.8, 0.2)))
    frame = reasons.reasons_frame(explanation, {}, Words("en"))
    assert frame[["label", "shown", "modality"]].to_numpy().tolist() == [
        ["Latest term GPA", "1.80", "records"],  # nobody can change a signature: it does not lead
        ["Signature", "", "signature"],
    ]


def test_the_line_in_a_list_names_records_that_raise_the_risk_only():
    parts = (SIGNATURE, contribution("gpa_last", 1.8, -0.4), contribution("arrears_last", 43.0, 0.2))
    explanation = Explanation("late", 0.0, 0.1, parts)
    assert reasons.in_brief(explanation, {}, Words("en")) == "Latest tuition arrears 43 days"


def test_what_nobody_can_change_never_leads():
    parts = (contribution("gpa_first", 1.8, 0.5), contribution("arrears_last", 43.0, 0.1))
    frame = reasons.reasons_frame(Explanation("late", 0.0, 0.6, parts), {}, Words("en"))
    assert frame["name"].tolist() == ["arrears_last", "gpa_first"]
    brief = reasons.in_brief(Explanation("late", 0.0, 0.6, parts), {}, Words("en"))
    assert brief == "Latest tuition arrears 43 days; GPA of the first term 1.80"
    alone = reasons.in_brief(Explanation("late", 0.0, 0.5, parts[:1]), {}, Words("en"))
    assert alone.startswith("Nothing that can still change")


def test_one_fact_is_one_row_and_the_sum_stays():
    parts = (
        contribution("failed_last", 2.0, 0.3),
        contribution("credits_last", 12.0, 0.2),
        contribution("gpa_last", 3.0, -0.1),
    )
    frame = reasons.reasons_frame(Explanation("late", 0.0, 0.4, parts), {}, Words("id"))
    assert frame["name"].tolist() == ["failed_last", "gpa_last"]
    assert frame["phi"].sum() == pytest.approx(0.4)


def explained(**values) -> Explanation:
    return Explanation("late", 0.0, 0.0, tuple(contribution(n, v, 0.1) for n, v in values.items()))


ARREARS = dict.fromkeys(("arrears_last", "arrears_longest", "arrears_terms"))


@pytest.mark.parametrize(
    ("values", "english", "indonesian"),
    [
        ({"as_of_index": 3.0, **ARREARS}, ["Tuition arrears"], ["Tunggakan UKT"]),
        (
            {"as_of_index": 0.0, "gpa_cum": None, **ARREARS, "admission_path": None},
            ["Admission path"],
            ["Jalur masuk"],
        ),
        ({"as_of_index": 1.0, "gpa_last": 2.4, "gpa_change": None, "gpa_trend": None}, [], []),
        ({"as_of_index": 2.0, "attendance_last": 0.9, "attendance_change": None}, [], []),
        ({"as_of_index": 4.0, "failed_last": 0.0, "credits_last": 0.0, "pass_ratio_last": None}, [], []),
        (
            {"as_of_index": 4.0, "failed_last": 1.0, "credits_last": None},
            ["Credits passed in the latest term"],
            None,
        ),
        ({"as_of_index": 4.0, "recognized_credits": None, "entry_type": "new"}, [], []),
        (  # a register with credits and no courses
            {
                "as_of_index": 4.0,
                "failed_last": None,
                "failed_total": None,
                "credits_last": 18.0,
                "pass_ratio": 1.0,
            },
            ["Courses failed so far"],
            ["Mata kuliah gagal sejauh ini"],
        ),
        (
            {"as_of_index": 4.0, "recognized_credits": None, "entry_type": "transfer"},
            ["Credits recognised at entry"],
            None,
        ),
    ],
)
def test_what_is_not_recorded_is_told_once_and_only_where_it_could_have_been(values, english, indonesian):
    assert reasons.not_recorded(explained(**values), Words("en")) == english
    if indonesian is not None:
        assert reasons.not_recorded(explained(**values), Words("id")) == indonesian


def test_a_reason_that_nothing_is_recorded_names_the_fact():
    frame = reasons.reasons_frame(explained(as_of_index=2.0, **ARREARS), {}, Words("id"))
    assert ["Tunggakan UKT", "tidak tercatat"] in frame[["label", "shown"]].to_numpy().tolist()


def test_every_fact_that_can_be_unrecorded_has_a_name_in_both_languages():
    from fusion.explanation.facts import FACT_OF, key_of_fact

    for fact in set(FACT_OF.values()) - {"programme", "time", "presence"}:
        assert all(Words(language).has(key_of_fact(fact)) for language in ("en", "id")), fact


@pytest.mark.parametrize(
    ("name", "told"), [("IPK", "IPK"), ("Attendance", "attendance"), ("SKS lulus", "SKS lulus")]
)
def test_within_a_sentence_a_name_loses_its_capital_and_an_abbreviation_keeps_its_own(name, told):
    assert reasons.inside(name) == told


@pytest.mark.parametrize(
    ("phi", "told"),
    [
        (0.02, ":orange[:material/arrow_upward:] Signature"),
        (-0.02, ":blue[:material/arrow_downward:] Signature"),
        (0.0199, ":material/remove: Signature: makes no difference to this risk"),
        (0.0, ":material/remove: Signature: makes no difference to this risk"),
    ],
)
def test_what_moves_the_score_by_next_to_nothing_has_no_arrow(phi, told):
    assert reason_line({"label": "Signature", "shown": "", "phi": phi}, Words("en")) == told


def test_what_is_not_recorded_is_no_reason_in_a_line_and_cannot_be_changed_by_a_talk():
    parts = (contribution("arrears_last", None, 0.4), contribution("gpa_last", 2.1, 0.1))
    explanation = Explanation("late", 0.0, 0.5, parts)
    assert reasons.in_brief(explanation, {}, Words("en")) == "Latest term GPA 2.10"
    frame = reasons.reasons_frame(explanation, {}, Words("en"))
    assert dict(zip(frame["name"], frame["told"], strict=True)) == {"arrears_last": False, "gpa_last": True}
    assert frame["phi"].sum() == pytest.approx(0.5)
    assert gaps_line(explanation, frame, Words("en")) == (
        "Not recorded: latest tuition arrears. "
        "What is not recorded moves the score too; the chart shows how far."
    )
    small = Explanation("late", 0.0, 0.11, (contribution("arrears_last", None, 0.01), parts[1]))
    frame = reasons.reasons_frame(small, {}, Words("en"))
    assert gaps_line(small, frame, Words("en")) == "Not recorded: latest tuition arrears."


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "The register has no row of 1 of 2 completed terms: credits and courses that seem"),
        ("id", "Register tidak memuat 1 dari 2 semester yang selesai: SKS dan mata kuliah yang tampak"),
    ],
)
def test_terms_without_a_row_are_said_before_what_seems_to_be_lacking(language, said):
    """A student with a GPA of 3.79 was 54% of the courses short: the second term had not been handed in."""
    parts = (contribution("plan_passed", 0.54, 0.4), contribution("as_of_index", 2.0, 0.0))
    for gone, told in ((1.0, True), (0.0, False)):
        whole = Explanation("late", 0.0, 0.4, (*parts, contribution("terms_missing", gone, 0.0)))
        frame = reasons.reasons_frame(whole, {}, Words(language))
        assert gaps_line(whole, frame, Words(language)).startswith(said) is told


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", r"Latest attendance **89\%** · usual: 91\%"),
        ("id", r"Kehadiran terbaru **89\%** · biasanya: 91\%"),
    ],
)
def test_a_reason_says_what_is_usual_where_the_two_can_be_told_apart(language, line):
    words = Words(language)
    near = replace(contribution("gpa_last", 3.001, 0.1), usual=3.0)
    parts = (replace(contribution("attendance_last", 0.89, 0.3), usual=0.91), near)
    rows = reasons.reasons_frame(Explanation("late", 0.0, 0.4, parts), {}, words).to_dict("records")
    assert reason_line(rows[0], words) == f":orange[:material/arrow_upward:] {line}"
    assert "·" not in reason_line(rows[1], words)


def test_what_nearly_all_share_has_a_name_and_no_value_and_is_in_no_line():
    parts = (replace(contribution("entry_type", "new", 0.5), shared=True), contribution("gpa_last", 2.1, 0.1))
    explanation = Explanation("late", 0.0, 0.6, parts)
    for language, name in (
        ("en", "What nearly all comparable students have too"),
        ("id", "Yang juga dimiliki hampir semua"),
    ):
        frame = reasons.reasons_frame(explanation, {}, Words(language))
        shared = frame[~frame["told"]].iloc[0]
        assert shared["label"].startswith(name) and shared["shown"] == ""
        assert "2" in reasons.in_brief(explanation, {}, Words(language))
        assert name not in reasons.in_brief(explanation, {}, Words(language))


def beside(name, value, phi, usual):
    return replace(contribution(name, value, phi), usual=usual)


def brief(*parts, language="en"):
    total = sum(part.phi for part in parts)
    return reasons.in_brief(Explanation("late", 0.0, total, parts), {}, Words(language))


def test_a_line_of_reasons_stands_beside_what_is_usual():
    """100 % of the plan reads as praise alone; it raised the risk, as 108 % is usual."""
    parts = (beside("credit_pace", 1.0, 0.11, 1.08), beside("gpa_cum", 2.9, 0.1, 3.2))
    assert brief(*parts) == (
        "Credits earned against the plan 100% (usual: 108%); Cumulative GPA 2.90 (usual: 3.20)"
    )
    assert brief(*parts, language="id") == (
        "SKS diperoleh terhadap rencana 100% (biasanya: 108%); IPK 2,90 (biasanya: 3,20)"
    )


def test_the_reason_that_explains_nearly_everything_is_not_left_out_for_a_filler():
    """A term without study raised a risk by 3.35, and the line said "Attendance so far 91%", by 0.03."""
    parts = (
        beside("inactive_terms", 1.0, 3.35, 0.0),
        beside("credit_pace", 0.83, 0.49, 1.04),
        beside("attendance_mean", 0.86, 0.05, 0.91),
    )
    assert brief(*parts) == "Credits earned against the plan 83% (usual: 104%); Inactive terms 1 (usual: 0)"


def test_a_fact_of_entry_takes_no_place_from_what_can_change():
    parts = (
        beside("tuition_band", 1.0, 0.81, 4.0),
        beside("attendance_mean", 0.86, 0.23, 0.91),
        beside("gpa_cum", 2.89, 0.12, 3.2),
    )
    assert "Tuition" not in brief(*parts)
    assert brief(*parts[:2]).endswith("Tuition band 1 (usual: 4)")


def test_what_reads_as_usual_is_no_reason_in_words():
    parts = (beside("attendance_mean", 0.9051, 0.03, 0.91), beside("gpa_cum", 2.9, 0.1, 3.2))
    explanation = Explanation("late", 0.0, 0.13, parts)
    frame = reasons.reasons_frame(explanation, {}, Words("en")).set_index("name")
    assert frame["told"].to_dict() == {"attendance_mean": False, "gpa_cum": True}
    assert frame["phi"].sum() == pytest.approx(0.13)  # the chart keeps it
    assert "ttendance" not in brief(*parts)
