"""Hands and pens: signatures as cubic splines through points that belong to a writer.

Nothing here models muscles or speed: a writer is a few letters made of hand-drawn arches, loops and hooks, a
slant, a flourish, and a pen that grows wider on the way down. A specimen is the same points, slightly off; an
imitation is the same points as another hand would follow them: slower, with tremor and its own pressure.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

#: Shapes in a box of one x-height, from left to right: (x, y) with y downwards, 0 the top of a small letter.
_SHAPES = {
    "arch": ((0.0, 1.0), (0.1, 0.15), (0.35, 0.0), (0.5, 0.3), (0.5, 1.0)),
    "cup": ((0.0, 0.1), (0.05, 0.8), (0.3, 1.0), (0.5, 0.7), (0.55, 0.05), (0.6, 0.9)),
    "loop_up": ((0.0, 1.0), (0.35, 0.0), (0.45, -1.1), (0.25, -1.3), (0.15, -0.6), (0.3, 0.95), (0.5, 0.9)),
    "loop_down": ((0.0, 0.3), (0.3, 0.1), (0.4, 0.9), (0.3, 2.0), (0.05, 2.1), (0.1, 1.5), (0.6, 0.7)),
    "oval": ((0.5, 0.1), (0.15, 0.05), (0.0, 0.6), (0.25, 1.0), (0.5, 0.6), (0.45, 0.1), (0.7, 0.9)),
    "saw": ((0.0, 1.0), (0.2, 0.0), (0.25, 0.9), (0.45, 0.1), (0.5, 1.0)),
    "eye": ((0.0, 0.8), (0.4, 0.5), (0.35, 0.1), (0.1, 0.2), (0.1, 0.8), (0.6, 0.9)),
    "hook": ((0.0, 0.0), (0.1, 0.5), (0.1, 1.2), (0.4, 1.0)),
}
_CAPITALS = (
    ((0.6, -1.2), (0.1, -1.0), (0.0, -0.4), (0.5, -0.1), (0.6, 0.6), (0.2, 1.1), (-0.2, 0.8)),
    ((0.0, 1.0), (0.3, -1.3), (0.5, -1.2), (0.7, 1.0), (0.9, 0.7), (0.1, 0.2), (0.8, 0.1)),
    ((0.1, 1.1), (0.1, -1.2), (0.6, -1.3), (0.8, -0.6), (0.2, -0.1), (0.7, 0.2), (1.0, 1.0)),
    ((0.9, -0.9), (0.4, -1.3), (0.0, -0.5), (0.1, 0.7), (0.6, 1.1), (1.0, 0.5), (0.5, 0.2)),
    ((-0.1, -1.0), (0.5, -1.2), (0.4, -0.2), (0.2, 1.2), (-0.3, 1.5), (-0.3, 1.0), (0.9, 0.6)),
)


@dataclass(frozen=True)
class Writer:
    """A hand: strokes as arrays of points (n, 2) in x-heights, and how steady and heavy it is."""

    strokes: tuple[np.ndarray, ...]
    size: float
    slant: float
    rise: float
    steadiness: float
    width: float
    weight_down: float
    dark: float


def writer_of(nim: str, seed: int) -> Writer:
    """The hand of a student: the same one whenever it is asked for."""
    rng = np.random.default_rng([seed, zlib.crc32(nim.encode())])
    return Writer(
        strokes=tuple(_strokes(rng)),
        size=float(rng.uniform(42, 66)),
        slant=float(rng.uniform(-0.15, 0.65)),
        rise=float(rng.uniform(-0.22, 0.08)),
        steadiness=float(rng.uniform(0.04, 0.09)),
        width=float(rng.uniform(3.2, 6.0)),
        weight_down=float(rng.uniform(0.15, 0.8)),
        dark=float(rng.uniform(0.7, 0.95)),
    )


def specimen(
    writer: Writer, rng: np.random.Generator, pen: float = 1.0
) -> list[tuple[np.ndarray, np.ndarray]]:
    """A genuine signature: per stroke the path (n, 2) in pixels of 300 dpi and the pen's radius (n,)."""
    points = [_off(s, writer.steadiness, rng) for s in writer.strokes]
    return _written(points, writer, rng, writer.width * pen, writer.weight_down, tremor=0.0)


def imitation(
    writer: Writer, forger: Writer, rng: np.random.Generator
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Another hand following a specimen: right letters, its own proportions, tremor, and even pressure."""
    pulls = forger.slant - writer.slant
    points = []
    for stroke in writer.strokes:
        wide = stroke * np.array([rng.uniform(0.88, 1.14), rng.uniform(0.85, 1.15)])
        points.append(_off(wide, 1.9 * forger.steadiness, rng))
    led = Writer(**{**vars(writer), "slant": writer.slant + 0.35 * pulls, "rise": 0.6 * writer.rise})
    width = 0.5 * (writer.width + forger.width)
    return _written(points, led, rng, width, 0.5 * forger.weight_down, tremor=rng.uniform(0.6, 1.3))


def _strokes(rng: np.random.Generator) -> list[np.ndarray]:
    """One or two words: a capital, some letters that shrink or not, perhaps a line below, perhaps a dot."""
    strokes, at = [], 0.0
    for _ in range(int(rng.integers(1, 3))):
        capital = np.array(_CAPITALS[rng.integers(len(_CAPITALS))]) * rng.uniform(0.8, 1.4)
        parts, across = [capital + (at, 0.0)], at + capital[:, 0].max() + rng.uniform(-0.1, 0.3)
        shrink, spread = rng.uniform(0.82, 1.04), rng.uniform(0.75, 1.5)
        for letter in range(int(rng.integers(2, 6))):
            kind = list(_SHAPES)[rng.integers(len(_SHAPES))]
            own = np.array(_SHAPES[kind]) * (spread, 1.0) * shrink**letter
            own = own + rng.normal(0, 0.08, own.shape)
            parts.append(own + (across, 1.0 - shrink**letter))
            across += own[:, 0].max() + rng.uniform(0.0, 0.25)
        if rng.random() < 0.6:
            strokes.append(np.vstack(parts))
        else:
            strokes += [parts[0], np.vstack(parts[1:])]
        at = across + rng.uniform(0.2, 0.7)
    if rng.random() < 0.55:
        dip, back = rng.uniform(1.3, 1.9), rng.uniform(-0.4, 0.4)
        strokes.append(
            np.array(((at * 0.95, 1.2), (back, dip), (at * 0.4, dip + 0.2), (at + 0.6, dip - 0.4)))
        )
    if rng.random() < 0.4:
        spot = rng.uniform(0.2, 0.9) * at
        strokes.append(np.array(((spot, -0.9), (spot + 0.06, -0.85), (spot + 0.1, -0.8))))
    return strokes


def _off(points: np.ndarray, sd: float, rng: np.random.Generator) -> np.ndarray:
    """Neighbouring points err together: noise smoothed over three of them, and a stretch of the whole."""
    noise = rng.normal(0, sd, (len(points) + 2, 2))
    noise = (noise[:-2] + 2 * noise[1:-1] + noise[2:]) / np.sqrt(6)
    return points * (1 + rng.normal(0, 0.4 * sd, 2)) + noise


def _written(strokes, writer: Writer, rng, width: float, weight_down: float, tremor: float):
    """Slant, turn and size the strokes, draw the splines, and let the pen press."""
    slant = writer.slant + rng.normal(0, 0.03)
    turn = writer.rise + rng.normal(0, 0.03)
    size = writer.size * (1 + rng.normal(0, 0.035))
    cos, sin = np.cos(turn), np.sin(turn)
    bend = np.array(((cos, sin), (-sin, cos))) @ np.array(((1.0, -slant), (0.0, 1.0)))
    drawn = []
    for stroke in strokes:
        path = spline(stroke @ bend.T * size, 24)
        if tremor:
            shake = rng.normal(0, tremor, path.shape)
            path = path + (shake + np.roll(shake, 1, 0) + np.roll(shake, 2, 0)) / 1.7
        drawn.append((path, _radius(path, width, weight_down)))
    return drawn


def _radius(path: np.ndarray, width: float, weight_down: float) -> np.ndarray:
    """Half the line's width: wider on the way down, thin where the pen lands and lifts."""
    step = np.gradient(path, axis=0)
    down = np.clip(step[:, 1] / (np.hypot(step[:, 0], step[:, 1]) + 1e-9), 0, 1)
    ends = np.minimum(np.arange(len(path)), np.arange(len(path))[::-1])
    taper = 0.45 + 0.55 * np.clip(ends / 14, 0, 1)
    smooth = np.convolve(np.pad(down, 4, mode="edge"), np.ones(9) / 9, mode="valid")
    return 0.5 * width * (1 - 0.3 * weight_down + weight_down * smooth) * taper


def spline(points: np.ndarray, per_span: int) -> np.ndarray:
    """Natural cubic spline through points (n, 2), per_span samples to a span."""
    n = len(points)
    if n < 3:
        return np.linspace(points[0], points[-1], per_span)
    system = np.diag(np.full(n, 4.0)) + np.diag(np.ones(n - 1), 1) + np.diag(np.ones(n - 1), -1)
    system[0, 0] = system[-1, -1] = 2.0
    right = np.empty_like(points)
    right[1:-1] = 3 * (points[2:] - points[:-2])
    right[0], right[-1] = 3 * (points[1] - points[0]), 3 * (points[-1] - points[-2])
    slope = np.linalg.solve(system, right)
    t = np.linspace(0, 1, per_span, endpoint=False)[:, None]
    spans = []
    for i in range(n - 1):
        p, q, a, b = points[i], points[i + 1], slope[i], slope[i + 1]
        spans.append(p + a * t + (3 * (q - p) - 2 * a - b) * t**2 + (2 * (p - q) + a + b) * t**3)
    return np.vstack([*spans, points[-1:]])
