"""Names as plans of strokes, one composer per style of script (see `scripts.STYLES`)."""

import numpy as np

from data.synthetic.scripts import Planner


def write_name(hand, rng):
    """Compose one name in a hand.

    Parameters
    ----------
    hand : Hand
    rng : numpy.random.Generator
        Decides which letters the name has, not how they are formed.

    Returns
    -------
    ndarray, shape (n, 7)
        A plan in x-heights; see `pen.COLUMNS`.
    """
    planner = Planner(hand, rng)
    _COMPOSERS[hand.style](planner, hand, rng)
    return planner.table()


def _capital(p, hand, rng):
    """A large first letter: a stem, then two to four movements that end near the baseline."""
    left, height = p.x, hand.capital * rng.uniform(0.85, 1.2)
    p.go(left + rng.uniform(0, 0.4), height, bend=0.0)
    for k in range(rng.integers(1, 4)):
        if k and rng.random() < 0.5:
            target = left + rng.uniform(-0.3, 0.5) * height, height * rng.choice((1.0, 0.55, 0.1))
            p.go(*target, float(rng.random() < 0.4))
        stem = rng.random() < 0.4
        angle = -np.pi / 2 + rng.normal(0, 0.2) if stem else rng.uniform(-np.pi, np.pi)
        turn = rng.normal(0, 0.3) if stem else rng.choice((-1, 1)) * rng.gamma(4, 0.75) * hand.roundness
        p.stroke(rng.gamma(12, 0.085) * height, angle - turn / 2, angle + turn / 2)
    p.x = max(p.x, left + 0.4 * height)


def _word(p, hand, rng, letters):
    origin, line = p.x, p.y
    marks = []
    for place in range(letters):
        fade = 1 - (1 - hand.fade) * place / max(letters - 1, 1)
        rows = hand.alphabet[rng.integers(len(hand.alphabet))]
        p.letter(rows * np.array([hand.ascender if rows[0, 0] > 1.7 else 1.0, 1, 1]), fade)
        if rng.random() < 0.12:
            marks.append((p.x, p.y))
        target_y = line + hand.rise * (p.x - origin) + rng.normal(0, hand.drift)
        step = hand.advance * rng.uniform(0.6, 1.4)
        p.go(p.x + step, target_y, float(rng.random() >= hand.lift), rng.normal(0, 0.4))
    for x, y in marks:
        if rng.random() < 0.5:
            p.dot(x, y + rng.uniform(1.6, 2.4), rng.uniform(0.1, 0.3))
        else:
            p.go(x - 0.6, y + rng.uniform(1.2, 1.8))
            p.stroke(rng.uniform(0.8, 2.2), rng.normal(0, 0.2), rng.normal(0, 0.2))


def _paraph(p, rng):
    """Underline, return stroke, knot or crossing after the name, or nothing."""
    width = max(p.x, 3.0)
    kind = rng.choice(("none", "underline", "return", "knot", "cross"), p=(0.35, 0.2, 0.2, 0.15, 0.1))
    if kind == "underline":
        p.go(rng.uniform(0, 0.4) * width, -rng.uniform(0.6, 1.8))
        for k in range(rng.integers(1, 4)):
            angle, turn = (0.0 if k % 2 == 0 else np.pi) + rng.normal(0, 0.12), rng.normal(0, 0.5)
            p.stroke(width * rng.uniform(0.4, 1.0), angle - turn / 2, angle + turn / 2, hurry=1.6)
    elif kind == "return":
        turn = rng.choice((-1, 1)) * rng.uniform(0.6, 2.6)
        p.stroke(width * rng.uniform(0.3, 0.8), -turn / 2, turn / 2, hurry=1.4)
        angle = np.pi + rng.normal(0, 0.3)
        p.stroke(width * rng.uniform(0.4, 1.1), angle, angle + rng.normal(0, 0.5), hurry=1.6)
        if rng.random() < 0.5:
            p.stroke(width * rng.uniform(0.3, 0.9), rng.normal(0, 0.3), rng.normal(0, 0.4), hurry=1.5)
    elif kind == "knot":
        sense, angle = rng.choice((-1, 1)), rng.uniform(-np.pi, np.pi)
        for _ in range(rng.integers(2, 6)):
            turn = sense * rng.uniform(1.6, 3.6)
            p.stroke(rng.uniform(0.2, 0.5) * width, angle, angle + turn, hurry=1.2)
            angle += turn + rng.normal(0, 0.2)
    elif kind == "cross":
        p.go(rng.uniform(0.1, 0.8) * width, rng.uniform(1.0, 2.5))
        angle = rng.normal(-1.2, 0.5)
        p.stroke(rng.uniform(2, 5), angle, angle + rng.normal(0, 0.4))


def _cursive(p, hand, rng):
    for word in range(1 + (rng.random() < 0.65) + (rng.random() < 0.2)):
        line = hand.rise * p.x
        if word:
            p.go(p.x + rng.uniform(0.5, 1.6), line + rng.normal(0, 0.2))
        if rng.random() < 0.85:
            _capital(p, hand, rng)
        p.go(p.x + rng.uniform(0, 0.6), line + rng.normal(0, 0.2), float(rng.random() < 0.4))
        _word(p, hand, rng, rng.integers(3, 10))
    if rng.random() < 0.6:
        _paraph(p, rng)


def _initials(p, hand, rng):
    for _ in range(rng.integers(2, 5)):
        left, height = p.x, hand.capital * rng.uniform(0.8, 1.2)
        for k in range(rng.integers(2, 5)):
            vertical = rng.random() < 0.45
            angle = -np.pi / 2 + rng.normal(0, 0.25) if vertical else rng.normal(-0.1, 0.7)
            turn = (
                rng.normal(0, 0.25)
                if vertical
                else rng.choice((0.3, 1.8)) * rng.normal(0, 1) * hand.roundness
            )
            if k and rng.random() < 0.75:
                p.go(left + rng.uniform(0, 0.6) * height, rng.choice((1.0, 0.5, 0.95)) * height)
            p.stroke(height * rng.uniform(0.5, 1.15), angle - turn / 2, angle + turn / 2, hurry=1.1)
        right = max(p.x, left + 0.5 * height)
        if rng.random() < 0.4:
            p.dot(right + 0.4, 0.0, rng.uniform(0.08, 0.2))
        p.go(right + rng.uniform(0.2, 0.9), height * rng.uniform(0.7, 1.1))
    if rng.random() < 0.5:
        _word(p, hand, rng, rng.integers(2, 6))
    _paraph(p, rng)


def _leftward_letter(p, hand, rng, kind):
    if kind == "tall":
        p.go(p.x - 0.5, p.y + rng.uniform(1.8, 2.8) * hand.ascender)
        p.stroke(rng.uniform(1.8, 3.0), -np.pi / 2 + rng.normal(0, 0.15), -np.pi / 2 - rng.uniform(0, 0.6))
    elif kind == "tooth":
        p.stroke(rng.uniform(0.4, 0.8), np.pi / 2 + 0.3, np.pi / 2 + 0.1)
        p.stroke(rng.uniform(0.5, 1.0), -np.pi / 2, -np.pi * 0.95)
    elif kind == "bowl":
        turn = rng.uniform(1.6, 2.8) * hand.roundness
        p.stroke(rng.uniform(1.6, 3.4), -np.pi / 2 - 0.2, -np.pi / 2 - 0.2 - turn, hurry=1.2)
    elif kind == "loop":
        sense = rng.choice((-1, 1))
        p.stroke(rng.uniform(0.7, 1.2), np.pi / 2, np.pi / 2 + sense * 2.8)
        p.stroke(rng.uniform(0.6, 1.1), np.pi / 2 + sense * 2.9, np.pi / 2 + sense * 4.8)
    else:
        p.stroke(rng.uniform(2.0, 5.0), np.pi + rng.normal(0, 0.2), np.pi + rng.normal(0, 0.6), hurry=1.5)


def _leftward(p, hand, rng):
    dots = []
    for _ in range(rng.integers(6, 15)):
        kind = rng.choice(("tall", "tooth", "bowl", "loop", "sweep"), p=(0.17, 0.3, 0.25, 0.16, 0.12))
        _leftward_letter(p, hand, rng, kind)
        if rng.random() < 0.45:
            dots.append((p.x + rng.uniform(0, 0.6), p.y + rng.choice((-1, 1)) * rng.uniform(0.8, 1.6)))
        if rng.random() < 0.35:
            p.go(p.x - rng.uniform(0.1, 0.7), rng.normal(0, 0.3) - hand.rise * p.x)
    if rng.random() < 0.6:
        bend = rng.choice((-1, 1)) * rng.uniform(0.3, 2.5)
        p.stroke(rng.uniform(3, 8), np.pi + rng.normal(0, 0.3), np.pi + bend, hurry=1.6)
    for x, y in dots:
        for k in range(rng.integers(1, 4)):
            p.dot(x + 0.35 * k, y + rng.normal(0, 0.08), rng.uniform(0.08, 0.25))


def _headline(p, hand, rng):
    pitch, top, first = rng.uniform(0.9, 1.6), 2.0, rng.random() < 0.4
    left = 0.0
    for _ in range(rng.integers(1, 4)):
        letters = rng.integers(2, 6)
        line = top + hand.rise * left * 0.5
        if first:
            _bar(p, hand, rng, left, line, letters * pitch)
        for k in range(letters):
            _hanging_letter(p, hand, rng, left + (k + 0.35) * pitch, line, pitch)
        if not first and rng.random() < 0.9:
            _bar(p, hand, rng, left + rng.uniform(-0.4, 0.2), line, letters * pitch * rng.uniform(0.9, 1.15))
        left += letters * pitch + rng.uniform(0.3, 1.4)
    if rng.random() < 0.2:
        _paraph(p, rng)


def _bar(p, hand, rng, left, line, length):
    p.go(left, line + rng.normal(0, 0.1))
    p.stroke(length, hand.rise + rng.normal(0, 0.04), hand.rise * 0.5 + rng.normal(0, 0.06), hurry=1.8)


def _hanging_letter(p, hand, rng, x, line, pitch):
    p.go(x, line + rng.normal(0, hand.drift * 0.6), float(rng.random() < 0.25))
    rows = hand.alphabet[rng.integers(len(hand.alphabet))]
    if rng.random() < 0.5:
        p.letter(rows[:, [0, 1, 2]] * np.array([0.8, 1, 1]) + np.array([0, -0.9, -0.9]))
    else:
        for _ in range(rng.integers(1, 4)):
            angle, turn = (
                rng.normal(-np.pi / 2, 0.7),
                rng.choice((-1, 1)) * rng.gamma(3, 0.6) * hand.roundness,
            )
            p.stroke(rng.uniform(0.7, 1.5), angle - turn / 2, angle + turn / 2)
    if rng.random() < 0.55:
        p.go(x + 0.5 * pitch, line)
        p.stroke(rng.uniform(1.6, 2.2), -np.pi / 2 + rng.normal(0, 0.06), -np.pi / 2 + rng.normal(0, 0.1))
    if rng.random() < 0.35:
        p.go(x + 0.35 * pitch, line + 0.1)
        turn = rng.choice((-1, 1)) * rng.uniform(1.2, 2.8)
        p.stroke(rng.uniform(0.9, 1.8), np.pi / 2 - turn / 2, np.pi / 2 + turn / 2)


_BASIC_STROKES = (
    (0.9, 0.05, 0.0),
    (1.0, -1.57, -1.57),
    (0.9, -1.9, -2.4),
    (0.9, -1.1, -0.6),
    (0.25, -1.0, -0.8),
)
"""Across, down, falling left, falling right, dot: length in sides of a character, start and end angle."""


def _separate(p, hand, rng):
    side, link, column = rng.uniform(2.2, 3.2), rng.uniform(0, 0.45), rng.random() < 0.2
    for k in range(rng.integers(2, 5)):
        left, top = (0.0, -k * side * 1.15) if column else (k * side * 1.15, k * hand.rise)
        for _ in range(rng.integers(3, 9)):
            length, start, end = _BASIC_STROKES[rng.integers(len(_BASIC_STROKES))]
            x = left + side * rng.uniform(0, 0.55 if abs(start) < 0.3 else 0.7)
            y = top + side * (1 - rng.uniform(0, 0.4 if start < -0.5 else 0.8))
            p.go(x, y, float(rng.random() < link), rng.normal(0, 0.3))
            p.stroke(
                side * length * rng.uniform(0.5, 1.0), start + rng.normal(0, 0.08), end + rng.normal(0, 0.12)
            )
            if rng.random() < 0.2:
                angle = rng.choice((np.pi * 0.75, np.pi * 1.1, np.pi / 4))
                p.stroke(rng.uniform(0.2, 0.5), angle, angle + rng.normal(0, 0.3))


def _flourish(p, hand, rng):
    if rng.random() < 0.6:
        _capital(p, hand, rng)
    sense, height, shrink = rng.choice((-1, 1)), rng.uniform(1.2, 4.0), rng.uniform(0.75, 1.02)
    angular, step = rng.random() < 0.35, rng.uniform(0.1, 0.9)
    for _ in range(rng.integers(3, 11)):
        if angular:
            p.stroke(height, np.pi / 2 - step * 0.5 + rng.normal(0, 0.1), np.pi / 2 - step * 0.5)
            p.stroke(height, -np.pi / 2 + step * 0.5 + rng.normal(0, 0.1), -np.pi / 2 + step * 0.5)
        else:
            turn = sense * rng.uniform(2.3, 3.3)
            p.stroke(height, np.pi / 2 - turn * 0.4, np.pi / 2 + turn * 0.6)
            p.stroke(height * (1 - 0.2 * step), -np.pi / 2 - turn * 0.4, -np.pi / 2 + turn * 0.6)
            p.stroke(step, hand.rise, hand.rise)
        height *= shrink * rng.uniform(0.85, 1.15)
    _paraph(p, rng)


_COMPOSERS = {
    "cursive": _cursive,
    "initials": _initials,
    "leftward": _leftward,
    "headline": _headline,
    "separate": _separate,
    "flourish": _flourish,
}
