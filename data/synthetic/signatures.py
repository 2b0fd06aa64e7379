"""Synthetic signers: writers, their genuine signatures and other hands' forgeries. No real person is
imitated.

A writer owns a plan of strokes. Signing means running that plan with small errors of the writer's own size;
a skilled forger runs the same plan with larger errors, some of the forger's own habits, slower, with tremor
and extra lifts, and usually another pen.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import lfilter

from data.synthetic import pen as kinematics
from data.synthetic.compose import write_name
from data.synthetic.paper import encode_png, render_scan, render_small
from data.synthetic.pen import Pen, Trajectory, integrate, make_pen
from data.synthetic.scripts import STYLES, Hand, make_hand

__all__ = [
    "KINDS",
    "STYLES",
    "Trajectory",
    "Writer",
    "make_forger",
    "make_writer",
    "other_name",
    "perform",
    "render_scan",
    "render_small",
    "specimen_png",
]

KINDS = ("genuine", "hurried", "skilled", "traced")
"""genuine: the writer as usual; hurried: the writer in haste; skilled: another hand after practice; traced:
another hand following the line slowly."""

_WIDEST, _TALLEST = 44.0, 15.0
"""Millimetres; the signature box of an ordinary form."""


@dataclass(frozen=True)
class Writer:
    """A synthetic signer.

    Attributes
    ----------
    hand : Hand
        Habits, the same whatever name is written.
    plan : ndarray, shape (n, 7)
        The signature as planned, in millimetres.
    pen : Pen
        The usual pen.
    jitter : float
        Relative size of this writer's errors, 0.02 (very stable) to 0.1.
    """

    hand: Hand
    plan: np.ndarray
    pen: Pen
    jitter: float


def make_writer(rng, style=None):
    """Draw a writer.

    Parameters
    ----------
    rng : numpy.random.Generator
    style : str, optional
        One of `STYLES`; drawn at random when absent.

    Returns
    -------
    Writer
    """
    hand = make_hand(rng, style)
    pen = make_pen(rng)
    plan = _to_millimetres(write_name(hand, rng), pen, _width(rng))
    return Writer(hand, plan, pen, float(rng.uniform(0.02, 0.085)))


def other_name(writer, rng):
    """The same hand signing another name.

    Parameters
    ----------
    writer : Writer
    rng : numpy.random.Generator

    Returns
    -------
    Writer
        Hand, pen and steadiness of `writer`, a new plan.
    """
    plan = _to_millimetres(write_name(writer.hand, rng), writer.pen, _width(rng))
    return replace(writer, plan=plan)


def make_forger(writer, rng):
    """Another hand that has practised a writer's signature.

    The forger keeps the order of strokes but pulls slant, size, rhythm and roundness towards habits of their
    own; all forgeries by the returned writer share those deviations.

    Parameters
    ----------
    writer : Writer
    rng : numpy.random.Generator

    Returns
    -------
    Writer
    """
    error = writer.jitter * rng.uniform(0.6, 1.8) + rng.uniform(0.0, 0.06)
    plan = writer.plan.copy()
    count = len(plan)
    plan[:, kinematics.LENGTH] *= np.exp(rng.normal(0, error * 1.2, count))
    turn = plan[:, kinematics.END] - plan[:, kinematics.START]
    tilt = rng.normal(0, error, count) + rng.normal(0, 0.05)
    bend = turn * (np.exp(rng.normal(0, 0.5 * error)) - 1) + rng.normal(0, error * 0.7, count)
    plan[:, kinematics.START] += tilt - bend / 2
    plan[:, kinematics.END] += tilt + bend / 2
    plan[:, kinematics.WAIT] *= rng.uniform(1.0, 1.7) * np.exp(rng.normal(0, error, count))
    plan[:, kinematics.LOG_SPREAD] = np.clip(plan[:, kinematics.LOG_SPREAD] * rng.uniform(0.7, 1.1), 0.1, 0.5)
    plan = _stretch(_look(writer.plan, plan, rng, error), rng, rng.uniform(0.03, 0.16))
    pen = make_pen(rng) if rng.random() < 0.7 else writer.pen
    return replace(
        writer, plan=plan * _scale(rng.normal(0, 0.1)), pen=pen, jitter=writer.jitter * rng.uniform(1, 1.6)
    )


def perform(writer, rng, kind="genuine", forger=None):
    """Sign once.

    Parameters
    ----------
    writer : Writer
    rng : numpy.random.Generator
    kind : str
        One of `KINDS`.
    forger : Writer, optional
        From :func:`make_forger`; for the forged kinds, a new one is made when absent.

    Returns
    -------
    Trajectory

    Raises
    ------
    ValueError
        When `kind` is unknown.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    if kind in ("genuine", "hurried"):
        size = writer.jitter * (1.7 if kind == "hurried" else 1.0)
        plan = _vary(writer.plan, rng, size)
        if kind == "hurried":
            plan[:, kinematics.WAIT] *= 0.8
        return integrate(plan, _vary_pen(writer.pen, rng))
    forger = forger or make_forger(writer, rng)
    if kind == "traced":
        plan = _vary(writer.plan, rng, writer.jitter * 0.8)
        plan[:, kinematics.WAIT] *= rng.uniform(1.5, 2.2)
        return _shake(integrate(plan, forger.pen), rng, rng.uniform(0.05, 0.14))
    plan = _vary(forger.plan, rng, forger.jitter)
    extra_lifts = rng.random(len(plan)) < rng.uniform(0, 0.03)
    trajectory = _shake(integrate(plan, forger.pen), rng, rng.choice((0.0, rng.uniform(0.01, 0.09))))
    return _lift(trajectory, plan, extra_lifts)


def specimen_png(writer, rng, kind="genuine", forger=None, **render):
    """Sign once on paper and scan it.

    Parameters
    ----------
    writer, rng, kind, forger
        See :func:`perform`.
    **render
        Passed to :func:`render_scan`, for example ``flaw="blurred"``.

    Returns
    -------
    bytes
        A PNG of about 600 x 240 pixels at 300 dpi.
    """
    return encode_png(render_scan(perform(writer, rng, kind, forger), rng, **render), render.get("dpi", 300))


def _width(rng):
    return float(rng.uniform(26, _WIDEST))


def _scale(log_factor):
    factors = np.ones(len(kinematics.COLUMNS))
    factors[kinematics.LENGTH] = np.exp(log_factor)
    return factors


def _to_millimetres(plan, pen, width):
    """Scale a plan in x-heights so that its drawn extent is `width` wide and fits the box."""
    drawn = integrate(plan, pen)
    x, y = drawn.x[drawn.down], drawn.y[drawn.down]
    extent = max(float(np.ptp(x)), 1e-3), max(float(np.ptp(y)), 1e-3)
    factor = min(width / extent[0], _TALLEST / extent[1])
    return plan * _scale(np.log(factor))


def _vary(plan, rng, size):
    """One performance of a plan: independent errors per stroke, shared ones for the whole, feedback after
    lifts."""
    out, count = plan.copy(), len(plan)
    tilt, turn = rng.normal(0, size, count), rng.normal(0, size * 1.2, count)
    out[:, kinematics.LENGTH] *= np.exp(rng.normal(0, size * 1.25, count))
    out[:, kinematics.START] += tilt - turn / 2
    out[:, kinematics.END] += tilt + turn / 2
    out[:, kinematics.WAIT] *= np.exp(rng.normal(0, size * 1.1, count) + rng.normal(0, size))
    out[:, kinematics.LOG_TIME] += rng.normal(0, size * 0.45, count)
    spread = out[:, kinematics.LOG_SPREAD] * np.exp(rng.normal(0, size, count))
    out[:, kinematics.LOG_SPREAD] = np.clip(spread, 0.1, 0.5)
    return _stretch(_look(plan, out, rng, size), rng, size)


def _look(plan, out, rng, size):
    """The eye corrects: errors of place fade from stroke to stroke instead of adding up, most of all after a
    lift."""
    planned, moved = kinematics.chords(plan), kinematics.chords(out)
    error = np.stack([lfilter([1.0], [1.0, -0.8], column) for column in (moved - planned).T], axis=1)
    lifted = plan[:, kinematics.DOWN] < 0.5
    error[lifted] = 0.5 * error[lifted] + rng.normal(0, 4 * size, (int(lifted.sum()), 2))
    wanted = planned + np.diff(error, axis=0, prepend=0.0)
    ratio = (wanted[:, 0] - 1j * wanted[:, 1]) / (moved[:, 0] - 1j * moved[:, 1] + 1e-9)
    turn, scale = np.angle(ratio), np.abs(ratio)
    reach = np.where(lifted, np.pi, 0.35)
    turn = np.clip(turn, -reach, reach)
    scale = np.where(lifted, np.clip(scale, 0.05, 20), np.clip(scale, 0.75, 1.35))
    corrected = out.copy()
    corrected[:, kinematics.LENGTH] *= scale
    corrected[:, kinematics.START] += turn
    corrected[:, kinematics.END] += turn
    return corrected


def _stretch(plan, rng, size):
    """Whole-signature variation: width, height, lean and slope of the line differ a little each time."""
    matrix = np.array([[np.exp(rng.normal(0, size)), rng.normal(0, size * 0.8)],
                       [rng.normal(0, size * 0.4), np.exp(rng.normal(0, size))]])  # fmt: skip
    out = plan.copy()
    for column in (kinematics.START, kinematics.END):
        direction = matrix @ np.stack([np.cos(plan[:, column]), np.sin(plan[:, column])])
        change = np.arctan2(direction[1], direction[0]) - plan[:, column]
        out[:, column] += np.angle(np.exp(1j * change))
    middle = plan[:, [kinematics.START, kinematics.END]].mean(axis=1)
    out[:, kinematics.LENGTH] *= np.hypot(*(matrix @ np.stack([np.cos(middle), np.sin(middle)])))
    return out


def _vary_pen(pen, rng):
    """Mostly the usual pen, pressed a little differently; sometimes another."""
    if rng.random() < 0.12:
        return make_pen(rng)
    return replace(
        pen,
        width=pen.width * float(np.exp(rng.normal(0, 0.07))),
        darkness=float(np.clip(pen.darkness + rng.normal(0, 0.04), 0.35, 1.0)),
    )


def _shake(trajectory, rng, amount):
    """Add tremor of `amount` millimetres at 6 to 12 Hz, as in slow drawing."""
    if amount <= 0:
        return trajectory
    kernel = np.exp(-0.5 * (np.arange(-9, 10) / 3.2) ** 2)
    noise = rng.normal(0, amount, (2, len(trajectory.x)))
    shaken = [np.convolve(row, kernel / np.sqrt((kernel**2).sum()), "same") for row in noise]
    return replace(
        trajectory,
        x=(trajectory.x + shaken[0]).astype(np.float32),
        y=(trajectory.y + shaken[1]).astype(np.float32),
    )


def _lift(trajectory, plan, rows):
    """Leave short gaps at the beginning of the given strokes."""
    down = trajectory.down.copy()
    onset = np.cumsum(plan[:, kinematics.WAIT])
    for time in onset[rows]:
        first = int(time / kinematics.TIME_STEP)
        down[first + 6 : first + 16] = False
    return replace(trajectory, down=down)
