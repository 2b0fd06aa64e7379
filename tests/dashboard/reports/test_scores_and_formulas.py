import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.reports.expressions import ExpressionError, evaluate, parse, references, to_excel
from dashboard.reports.profile import build_profile, load_profile, profile_ids
from dashboard.reports.profile_checks import ProfileError
from dashboard.reports.score import Piece, ScoreRule


def score(profile, level, key, x):
    rule = next(each.score for each in load_profile(profile, level).indicators if each.key == key)
    return rule.score(x)


@pytest.mark.parametrize(
    ("level", "key", "x", "expected"),
    [  # hand-checked: (56−8·5)/5, 1+6·0.4, (80·0.6−24)/11, 1+30·0.5/7, (180−400·0.2)/39
        ("S1", "PTW", 0.40, 3.40),
        ("S1", "PPS", 0.60, 24 / 11),
        ("S1", "MS", 5.0, 3.20),
        ("D3", "PTW", 0.50, 1 + 15 / 7),
        ("S1", "MDO", 0.20, 100 / 39),
        ("S1", "MS", 3.5, 4.0),
        ("S1", "MS", 3.25, 2.0),
        ("S1", "MS", 4.5, 4.0),
        ("S1", "MS", 3.0, 0.0),
        ("S1", "MS", 8.0, 0.0),
        ("D3", "MS", 3.0, 4.0),
        ("D3", "MS", 4.0, 8 / 3),
        ("D3", "MS", 2.9, 0.0),
        ("D3", "PTW", 0.70, 4.0),
        ("S2", "PTW", 0.25, 2.5),
        ("S2", "MS", 1.49, 0.0),
        ("S2", "MS", 1.5, 4.0),
        ("S2", "MS", 2.5, 4.0),
        ("S2", "MS", 3.0, 8 / 3),
        ("S2", "MS", 4.0, 0.0),
        ("S1", "PPS", 0.29, 0.0),
        ("S1", "PPS", 0.85, 4.0),
        ("S1", "MDO", 0.06, 4.0),
        ("S1", "MDO", 0.45, 0.0),
    ],
)
def test_a_score_equals_the_hand_checked_fixture(level, key, x, expected):
    assert score("iaps40-8c", level, key, x) == pytest.approx(expected)


def test_the_grade_point_score_equals_the_rule():
    assert [score("iaps40-8a", "S1", "RIPK", x) for x in (3.25, 3.0, 2.0)] == pytest.approx([4, 3.6, 2])
    assert [score("iaps40-8a", "S2", "RIPK", x) for x in (3.5, 3.25, 3.0)] == pytest.approx([4, 3, 2])


def test_the_grade_point_average_has_no_score_below_2():
    assert score("iaps40-8a", "S1", "RIPK", 1.99) is None and score("iaps40-8a", "S2", "RIPK", 2.99) is None
    rule = next(each.score for each in load_profile("iaps40-8a", "S2").indicators if each.key == "RIPK")
    assert rule.words() == "3.5 ≤ x → 4; 3 ≤ x < 3.5 → 4*x - 10; … → —"
    assert rule.excel("B2") == 'IF(ISNUMBER(B2),IF(B2>=3.5,4,IF(AND(B2>=3,B2<3.5),4*B2-10,"—")),"—")'


@given(
    x=st.floats(0, 10),
    key=st.sampled_from(["MS", "PTW", "PPS", "MDO"]),
    level=st.sampled_from(["S1", "D3", "S2"]),
)
def test_every_score_lies_between_0_and_4(x, key, level):
    share = x if key == "MS" else x / 10
    assert -1e-9 <= score("iaps40-8c", level, key, share) <= 4 + 1e-9


def test_a_level_without_a_rule_has_no_score():
    found = {each.key: each.score for each in load_profile("iaps40-8c", "S3").indicators}
    assert found["MS"] is None and found["PTW"] is None and found["PPS"] is not None


def test_precedence_and_brackets_are_those_of_arithmetic():
    assert evaluate(parse("1 - 2 - 3*-2 + (8 - 2)/4"), None) == 6.5
    assert to_excel(parse("a - (b - c)/d*e/(f*g)"), lambda name, row: name) == "a-(b-c)/d*e/(f*g)"


def test_a_division_by_zero_gives_no_number():
    assert evaluate(parse("1/(2-2)"), None) is None


def test_no_number_spreads_except_through_sums():
    values = {"a": None, "b": 2.0}
    assert evaluate(parse("a + b"), lambda name, row: values[name]) is None
    assert evaluate(parse("sum(a, b)"), lambda name, row: values[name]) == 2


def test_a_weighted_mean_skips_rows_without_a_mean():
    lists = {"n": [4.0, 0.0], "m": [5.0, None]}
    assert evaluate(parse("sumproduct(n, m)/sum(n)"), lambda name, row: lists[name]) == 5


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "a.b",
        "1 +",
        "(1",
        "open(1)",
        "1 2",
        "a[",
        "a and b",
        "lambda: 1",
        "",
        "2**3",
        "a==1",
    ],
)
def test_anything_beyond_the_grammar_is_refused(text):
    with pytest.raises(ExpressionError):
        parse(text)


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused_and_never_run(text):
    try:
        assert parse(text).kind
    except ExpressionError as error:
        assert "formula" in str(error)


@given(
    st.recursive(
        st.one_of(st.integers(1, 99).map(str), st.sampled_from(["a", "b"])),
        lambda part: st.tuples(part, st.sampled_from("+-*/"), part).map(lambda p: f"({p[0]}{p[1]}{p[2]})"),
        max_leaves=8,
    )
)
def test_the_written_formula_means_the_same_as_the_parsed_one(text):
    node = parse(text)
    values = {"a": 3.0, "b": 7.0}
    again = parse(to_excel(node, lambda name, row: name))
    first, second = (evaluate(each, lambda name, row: values[name]) for each in (node, again))
    assert second == pytest.approx(first) if first is not None else second is None


def test_references_are_listed_once():
    assert references(parse("a[TS-3] + a[TS-3]*sum(b)")) == (("a", "TS-3"), ("b", ""))


def test_a_score_piece_may_only_name_x():
    with pytest.raises(ExpressionError, match="'risk'"):
        ScoreRule((Piece((("ge", 0.0),), "risk"),), "0")


def test_every_shipped_profile_loads_for_every_level_and_in_both_languages():
    for name in profile_ids():
        levels = build_levels(name)
        for level in levels:
            profile = load_profile(name, level)
            assert profile.version and profile.title["id"] and profile.title["en"]
            assert profile.evidence in ("v", "c", "k")


def build_levels(name):
    import tomllib

    from dashboard.reports.profile import FOLDER

    return tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))["levels"] or [""]


def minimal(**changes):
    column = {"key": "n", "label": {"id": "n", "en": "n"}, "where": {"entry_year": "row"}}
    base = {
        "id": "x",
        "version": "1",
        "instrument": "x",
        "number": "1",
        "evidence": "k",
        "title": {"id": "x", "en": "x"},
        "row_label": {"id": "x", "en": "x"},
        "years": {"rows": [0]},
        "columns": [column],
    }
    return base | changes


@pytest.mark.parametrize("fact", ["risk", "score", "band", "predicted_label", "gpa_final", "name"])
def test_a_profile_that_asks_for_anything_but_facts_of_the_flow_is_refused(fact):
    column = {"key": "n", "label": {"id": "n", "en": "n"}, "where": {fact: {"ge": 0}}}
    with pytest.raises(ProfileError, match=fact):
        build_profile(minimal(columns=[column]))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"indicators": [{"key": "i", "label": {"id": "i", "en": "i"}, "formula": "m / 2"}]}, "unknown m"),
        ({"indicators": [{"key": "i", "label": {"id": "i"}, "formula": "n"}]}, "'en'"),
        ({"years": {"rows": [0, 0]}}, "used once"),
        ({"parts": [{"whole": "n", "parts": ["q"]}]}, "'q'"),
    ],
)
def test_a_broken_profile_says_what_breaks_it(changes, said):
    with pytest.raises(ProfileError, match=said):
        build_profile(minimal(**changes))
