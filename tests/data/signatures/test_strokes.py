"""Strokes from a pad: what is sent is read exactly, and nothing hostile gets further than its size."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.signatures import strokes as module
from data.signatures.strokes import RefusedStrokes, need_signature, read_strokes


def told(*strokes, **changes) -> str:
    drawn = [{"pointer": "pen", "points": points} for points in strokes]
    return json.dumps({"width": 720, "height": 240, "strokes": drawn} | changes)


def wave(points: int = 40, start: float = 0.0) -> list[list[float]]:
    """A zigzag 200 units wide."""
    return [[100 + 5 * k, 100 + 20 * (k % 2), start + 10.0 * k, 0.4] for k in range(points)]


def refusal(text) -> str:
    with pytest.raises(RefusedStrokes) as caught:
        read_strokes(text)
    return caught.value.code


def test_what_a_pad_sends_is_read_as_it_was_drawn():
    drawn = read_strokes(told([[10, 20.123, 0, 0.5], [13, 24.123, 16.64, 1]], [[700, 239, 900, 0]]))
    first, dot = drawn.strokes
    assert [(p.x, p.y, p.t, p.p) for p in first.points] == [(10, 20.12, 0, 0.5), (13, 24.12, 16.6, 1)]
    assert (first.length, dot.length, drawn.length) == (5.0, 0.0, 5.0)  # 3, 4 and 5
    assert (drawn.duration, drawn.pointers, len(drawn.points)) == (900.0, ["pen"], 3)
    assert read_strokes(told()).duration == 0.0


numbers = st.floats(0, 1, allow_nan=False)


@st.composite
def drawings(draw) -> str:
    clock, strokes = 0.0, []
    for _ in range(draw(st.integers(0, 5))):
        points = []
        for _ in range(draw(st.integers(1, 6))):
            points.append([720 * draw(numbers), 240 * draw(numbers), clock, draw(numbers)])
            clock += 500 * draw(numbers)
        strokes.append(
            {"pointer": draw(st.sampled_from(["pen", "touch", "mouse", "other"])), "points": points}
        )
    return json.dumps({"width": 720, "height": 240, "strokes": strokes})


@settings(max_examples=60, deadline=None)
@given(drawings())
def test_what_the_store_keeps_is_read_back_the_same(text):
    drawn = read_strokes(text)
    assert read_strokes(drawn.to_bytes()) == drawn
    sent = [point for stroke in json.loads(text)["strokes"] for point in stroke["points"]]
    assert all(
        abs(p.x - q[0]) <= 0.006 and abs(p.t - q[2]) <= 0.06 for p, q in zip(drawn.points, sent, strict=True)
    )


anything = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda part: st.lists(part, max_size=4) | st.dictionaries(st.text(max_size=5), part, max_size=3),
    max_leaves=8,
)


@settings(max_examples=120, deadline=None)
@given(
    st.text(max_size=50)
    | st.binary(max_size=50)
    | anything.map(json.dumps)
    | anything.map(lambda part: told(strokes=part))
    | anything.map(lambda part: told(part))
    | anything.map(lambda part: told([part]))
    | anything.map(lambda part: told([[1, 1, 1, 1], [part, 1, 1, 1]]))
)
def test_whatever_comes_is_read_or_refused_and_nothing_else_happens(text):
    try:
        drawn = read_strokes(text)
    except RefusedStrokes as refused:
        assert refused.code in ("unreadable", "too_large", "too_long") and str(refused)
    else:
        assert all(0 <= p.x <= 720 and 0 <= p.y <= 240 and 0 <= p.p <= 1 for p in drawn.points)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", '"x"', b"\xff\xfe\x00", None, 7),
        '{"width": NaN, "height": 240, "strokes": []}',
        *(told([[value, 1, 1, 1]]) for value in (float("nan"), float("inf"), -1, 721, "1", None, True, [1])),
        *(told([[1, 1, 1, value]]) for value in (1.01, -0.01, "0.5", False)),
        told([[1, 1, 1]]), told([[1, 1, 1, 1, 1]]), told([]), told(strokes={}), told(more=1),
        told([[1, 1, 20, 1]], [[1, 1, 10, 1]]),
        told(width=1e9), told(height=5), told(width="720"),
        told(strokes=[{"pointer": "brush", "points": [[1, 1, 1, 1]]}]),
        told(strokes=[{"pointer": ["pen"], "points": [[1, 1, 1, 1]]}]),
        told(strokes=[[1, 1, 1, 1]]),
        told([["1" * 5000, 1, 1, 1]]), '{"width": ' + "9" * 100_000 + ', "height": 240, "strokes": []}',
        "[" * 200_000, '{"strokes":' * 50_000,
    ],
)  # fmt: skip
def test_what_is_no_drawing_is_refused_in_words(text):
    assert refusal(text) == "unreadable"


def test_too_much_is_refused_before_anything_is_made_of_it(monkeypatch):
    assert refusal(" " * (module.MOST_BYTES + 1)) == "too_large"
    monkeypatch.setattr(module, "_point", lambda *_: pytest.fail("a point was read"))
    assert refusal(told(*[[[1, 1, 1, 1]]] * (module.MOST_STROKES + 1))) == "too_large"
    dots = ",".join(["[1,1,1,1]"] * (module.MOST_POINTS + 1))
    assert (
        refusal('{"width":720,"height":240,"strokes":[{"pointer":"pen","points":[' + dots + "]}]}")
        == "too_large"
    )


def test_a_line_without_end_and_a_signature_of_an_hour_are_refused():
    there_and_back = [[720 * (k % 2), 0, k, 1] for k in range(40)]
    assert refusal(told(there_and_back)) == "too_large"
    assert refusal(told([[1, 1, 0, 1], [2, 2, module.MOST_MS + 1, 1]])) == "too_long"
    assert read_strokes(told([[1, 1, 0, 1], [2, 2, module.MOST_MS, 1]])).duration == module.MOST_MS


def test_a_dot_a_tick_and_nothing_are_no_signature():
    for strokes in (
        [],
        [[[50, 50, 0, 1]]],
        [[[50, 50, k, 1] for k in range(30)]],
        [[[1, 1, 0, 1], [300, 1, 9, 1]]],
    ):
        with pytest.raises(RefusedStrokes, match="at least 8, 60 and 40") as caught:
            need_signature(read_strokes(told(*strokes)))
        assert caught.value.code == "too_little"
    need_signature(read_strokes(told(wave())))


def test_a_refusal_tells_nothing_of_what_was_drawn():
    with pytest.raises(RefusedStrokes) as caught:
        read_strokes(told([[123.456, 1, 1, 1], [-77.125, 1, 1, 1]]))
    assert "77" not in str(caught.value) and "123" not in str(caught.value)
