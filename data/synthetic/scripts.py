"""How different writers form their names: plans of strokes in six styles of script.

A :class:`Hand` is the habit (alphabet, slant, rhythm, shape); a plan is one name written by it. Nothing here
imitates a real person: letters are random variations of generic movements such as loop, arch and bowl.
"""

from dataclasses import dataclass

import numpy as np

from data.synthetic import pen as kinematics

STYLES = ("cursive", "initials", "leftward", "headline", "separate", "flourish")
"""Latin cursive, printed initials, Arabic-like from right to left with dots, Devanagari-like under a
headline, Chinese-like separate strokes, and pure loops."""

_STYLE_SHARES = (0.46, 0.1, 0.1, 0.16, 0.08, 0.1)

# One movement per row: length in x-heights, start angle, end angle in degrees. Angles keep turning beyond
# 360 so that the sense of rotation is explicit.
_LETTERS = (
    ((2.2, 35, 125), (2.1, 205, 285), (0.5, -70, 30)),
    ((1.1, 20, 130), (1.1, 190, 300), (0.4, -50, 25)),
    ((1.0, 45, 80), (1.0, 262, 278), (0.5, -80, 40)),
    ((1.0, 268, 272), (1.2, 95, -20), (1.0, -60, -95)),
    ((1.0, 268, 272), (1.1, 95, 0), (0.9, -60, -95), (1.1, 95, 0), (0.9, -60, -95), (0.4, -80, 30)),
    ((1.1, 150, 285), (1.1, 290, 440), (1.0, 265, 275), (0.4, -80, 30)),
    ((1.3, 140, 300), (1.3, 300, 460), (0.5, -30, 20)),
    ((1.1, 150, 285), (1.1, 290, 440), (2.3, 272, 255), (2.0, 215, 45)),
    ((2.1, 60, 85), (2.1, 265, 275), (0.6, -80, 20)),
    ((0.9, 60, 20), (1.2, -60, -190), (0.8, 180, 200), (0.8, 0, 30)),
    ((1.2, 60, 60), (1.2, -60, -60), (1.2, 60, 60), (1.2, -60, -60)),
    ((1.4, 30, 60), (2.6, 250, 280), (1.5, 200, 60)),
    ((0.8, 40, 60), (0.9, -50, -40), (0.5, 0, 30)),
)


@dataclass(frozen=True)
class Hand:
    """A writer's habits, the same whatever name is written.

    Attributes
    ----------
    style : str
        One of `STYLES`.
    alphabet : tuple of ndarray
        Letter shapes: rows of (length in x-heights, start angle, end angle in radians).
    slant, roundness, rise, drift : float
        Forward lean (radians), size of turns (1 = as in the table), slope of the baseline, its waviness.
    ascender, capital, advance, lift, fade : float
        Height of tall letters, of capitals, distance between letters, chance of lifting the pen, share of
        letter height left at the end of the name (illegibility).
    tempo, spread : float
        Seconds between movements; spread of a movement's lognormal.
    """

    style: str
    alphabet: tuple
    slant: float
    roundness: float
    rise: float
    drift: float
    ascender: float
    capital: float
    advance: float
    lift: float
    fade: float
    tempo: float
    spread: float


def make_hand(rng, style=None):
    """Draw the habits of a writer.

    Parameters
    ----------
    rng : numpy.random.Generator
    style : str, optional
        One of `STYLES`; drawn at random when absent.

    Returns
    -------
    Hand

    Raises
    ------
    ValueError
        When `style` is unknown.
    """
    if style is None:
        style = str(rng.choice(STYLES, p=_STYLE_SHARES))
    if style not in STYLES:
        raise ValueError(f"style must be one of {', '.join(STYLES)}, got {style!r}")
    roundness = float(rng.uniform(0.35, 1.3))
    return Hand(
        style=style,
        alphabet=_make_alphabet(rng, roundness),
        slant=float(rng.normal(0.12, 0.26)),
        roundness=roundness,
        rise=float(rng.normal(0.04, 0.1)),
        drift=float(rng.uniform(0.02, 0.22)),
        ascender=float(rng.uniform(0.7, 1.6)),
        capital=float(rng.uniform(1.4, 3.0)),
        advance=float(rng.uniform(0.1, 0.9)),
        lift=float(rng.choice((0.0, rng.uniform(0, 0.2), rng.uniform(0.2, 0.9)), p=(0.4, 0.4, 0.2))),
        fade=float(rng.uniform(0.25, 1.0)),
        tempo=float(rng.uniform(0.05, 0.1)),
        spread=float(rng.uniform(0.15, 0.34)),
    )


def _make_alphabet(rng, roundness):
    """Vary generic movements, and invent some, until the hand has seven to fourteen letters of its own."""
    letters = []
    for _ in range(rng.integers(7, 15)):
        if rng.random() < 0.8:
            rows = np.array(_LETTERS[rng.integers(len(_LETTERS))], dtype=float)
            rows[:, 1:] = np.radians(rows[:, 1:])
        else:
            count = rng.integers(1, 5)
            up = np.where(np.arange(count) % 2 == rng.integers(2), 1.0, -1.0)
            base = up * np.pi / 2 + rng.normal(0, 0.45, count)
            curve = rng.choice((-1, 1), count) * rng.gamma(2.0, 0.5, count)
            tall = 1.8 if rng.random() < 0.25 else 1.0
            rows = np.stack([rng.gamma(6, 0.17, count) * tall, base - curve / 2, base + curve / 2], axis=1)
        middle, turn = rows[:, 1:].mean(axis=1), rows[:, 2] - rows[:, 1]
        turn = turn * roundness * np.exp(rng.normal(0, 0.15, len(rows)))
        middle = middle + rng.normal(0, 0.14, len(rows))
        rows = np.stack(
            [rows[:, 0] * np.exp(rng.normal(0, 0.2, len(rows))), middle - turn / 2, middle + turn / 2], 1
        )
        letters.append(rows)
    return tuple(letters)


class Planner:
    """Collects the strokes of one name and knows where the pen is (x-heights, y up)."""

    def __init__(self, hand, rng):
        self.hand, self.rng = hand, rng
        self.rows, self.x, self.y = [], 0.0, 0.0

    def stroke(self, length, start, end, down=1.0, hurry=1.0):
        """Add one movement; angles in radians before slant."""
        rng, hand = self.rng, self.hand
        wait = hand.tempo * rng.uniform(0.75, 1.35) * hurry
        row = [
            max(length, 0.02),
            start,
            end,
            wait,
            rng.normal(-2.05, 0.1),
            hand.spread * rng.uniform(0.8, 1.25),
            down,
        ]
        self.rows.append(row)
        turn, middle = end - start, (start + end) / 2
        reach = length * np.sinc(turn / (2 * np.pi))
        self.x += reach * np.cos(middle)
        self.y += reach * np.sin(middle)

    def go(self, x, y, down=0.0, bend=0.0):
        """Move to a place, lifted or not, along an arc that turns by `bend` radians."""
        dx, dy = x - self.x, y - self.y
        direction = np.arctan2(dy, dx)
        length = np.hypot(dx, dy) / np.sinc(bend / (2 * np.pi))
        self.stroke(length, direction - bend / 2, direction + bend / 2, down, hurry=1.0 if down else 1.5)

    def letter(self, rows, scale=1.0):
        """Add a letter of the alphabet."""
        for length, start, end in rows:
            self.stroke(length * scale, start, end)

    def dot(self, x, y, size):
        """Lift the pen and leave a short mark."""
        self.go(x, y)
        angle = self.rng.uniform(-1.2, 0.4)
        self.stroke(size, angle, angle + self.rng.normal(0, 0.5))

    def table(self):
        """The plan, slanted."""
        plan = np.array(self.rows, dtype=float)
        lean = np.tan(np.clip(self.hand.slant, -0.7, 0.8))
        return _shear(plan, lean)


def _shear(plan, lean):
    """Lean every stroke: a shear changes lengths and directions, the turn's two ends apart."""
    out = plan.copy()
    for column in (kinematics.START, kinematics.END):
        angle = plan[:, column]
        dx, dy = np.cos(angle) + lean * np.sin(angle), np.sin(angle)
        change = np.angle(np.exp(1j * (np.arctan2(dy, dx) - angle)))
        out[:, column] = angle + change
    middle = plan[:, [kinematics.START, kinematics.END]].mean(axis=1)
    out[:, kinematics.LENGTH] *= np.hypot(np.cos(middle) + lean * np.sin(middle), np.sin(middle))
    return out
