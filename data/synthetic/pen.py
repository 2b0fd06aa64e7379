"""The moving hand: strokes with lognormal speed, added up to a pen trajectory.

The speed of a rapid movement rises and falls like a lognormal curve, and handwriting is the vector sum of
such movements, each turning from one direction to another while it runs (Plamondon's sigma-lognormal model,
1995-2014). A signature is therefore a *plan*: a short table of strokes. Everything here is in millimetres
and seconds, with the y axis pointing down as in an image.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

TIME_STEP = 0.005
"""Seconds between two samples of a trajectory."""

COLUMNS = ("length", "start_angle", "end_angle", "wait", "log_time", "log_spread", "down")
"""Columns of a plan: millimetres, two radians, seconds, two lognormal parameters of seconds, 1 pen down or 0
up."""

LENGTH, START, END, WAIT, LOG_TIME, LOG_SPREAD, DOWN = range(len(COLUMNS))

_WINDOW = 110


@dataclass(frozen=True)
class Trajectory:
    """A performed signature.

    Attributes
    ----------
    x, y : ndarray of float32, shape (t,)
        Position in millimetres, y pointing down.
    speed : ndarray of float32, shape (t,)
        Millimetres per second.
    down : ndarray of bool, shape (t,)
        Whether the pen touches the paper.
    pen : Pen
        What it is written with.
    """

    x: np.ndarray
    y: np.ndarray
    speed: np.ndarray
    down: np.ndarray
    pen: "Pen"


@dataclass(frozen=True)
class Pen:
    """A writing instrument.

    Attributes
    ----------
    kind : str
        One of ``ballpoint``, ``gel``, ``felt``, ``fountain``.
    width : float
        Width of an unhurried line in millimetres.
    darkness : float
        0 (paper) to 1 (black).
    pressure : float
        How strongly speed thins and lightens the line, 0 to 1.
    nib_angle : float
        Radians; the direction in which a fountain pen's nib is broad.
    """

    kind: str
    width: float
    darkness: float
    pressure: float
    nib_angle: float


_PENS = {
    "ballpoint": ((0.25, 0.5), (0.55, 0.9), (0.3, 0.7)),
    "gel": ((0.35, 0.6), (0.8, 1.0), (0.05, 0.25)),
    "felt": ((0.6, 0.95), (0.75, 1.0), (0.0, 0.15)),
    "fountain": ((0.4, 0.8), (0.65, 0.95), (0.15, 0.5)),
}


def make_pen(rng, kind=None):
    """Choose a pen.

    Parameters
    ----------
    rng : numpy.random.Generator
    kind : str, optional
        A kind of :class:`Pen`; drawn at random (ballpoints most often) when absent.

    Returns
    -------
    Pen

    Raises
    ------
    ValueError
        When `kind` is unknown.
    """
    if kind is None:
        kind = str(rng.choice(list(_PENS), p=(0.5, 0.25, 0.1, 0.15)))
    if kind not in _PENS:
        raise ValueError(f"kind must be one of {', '.join(_PENS)}, got {kind!r}")
    width, darkness, pressure = (float(rng.uniform(*bounds)) for bounds in _PENS[kind])
    return Pen(kind, width, darkness, pressure, float(rng.uniform(0.3, 1.2)))


def chords(plan):
    """Displacement of every stroke of a plan.

    A stroke turns evenly from its start angle to its end angle, so it is an arc and its displacement is the
    chord.

    Parameters
    ----------
    plan : ndarray, shape (n, 7)

    Returns
    -------
    ndarray, shape (n, 2)
        Millimetres along x and y (down).
    """
    turn = plan[:, END] - plan[:, START]
    middle = (plan[:, END] + plan[:, START]) / 2
    length = plan[:, LENGTH] * np.sinc(turn / (2 * np.pi))
    return np.stack([length * np.cos(middle), -length * np.sin(middle)], axis=1)


def integrate(plan, pen, pause=0.03):
    """Run a plan through time.

    Parameters
    ----------
    plan : ndarray, shape (n, 7)
        See `COLUMNS`; angles are counter-clockwise from the direction of reading.
    pen : Pen
    pause : float
        Seconds by which a lifted pen leaves the paper before its stroke starts.

    Returns
    -------
    Trajectory

    Raises
    ------
    ValueError
        When the plan is empty or has the wrong number of columns.
    """
    if plan.ndim != 2 or plan.shape[1] != len(COLUMNS) or not len(plan):
        raise ValueError(f"plan must have shape (n >= 1, {len(COLUMNS)}), got {plan.shape}")
    onset = np.cumsum(plan[:, WAIT])
    first = (onset / TIME_STEP).astype(int)
    total = first[-1] + _WINDOW + 1
    clock = (first[:, None] + np.arange(1, _WINDOW + 1)) * TIME_STEP - onset[:, None]
    z = (np.log(np.maximum(clock, 1e-6)) - plan[:, LOG_TIME, None]) / plan[:, LOG_SPREAD, None]
    done = ndtr(z)
    # A stroke cut off by the window would stop short of its target; scaling keeps its full length.
    moved = np.diff(done, axis=1, prepend=0.0) / done[:, -1:]
    angle = plan[:, START, None] + (plan[:, END] - plan[:, START])[:, None] * done
    slot = (first[:, None] + np.arange(1, _WINDOW + 1)).ravel()
    step = plan[:, LENGTH, None] * moved
    dx = np.bincount(slot, (step * np.cos(angle)).ravel(), minlength=total)
    dy = np.bincount(slot, (-step * np.sin(angle)).ravel(), minlength=total)
    down = np.ones(total, dtype=bool)
    middle = onset + np.exp(plan[:, LOG_TIME])
    reach = np.exp(plan[:, LOG_TIME]) * plan[:, LOG_SPREAD]
    for row in np.flatnonzero(plan[:, DOWN] < 0.5):
        lift = int((middle[row] - reach[row] - pause) / TIME_STEP)
        down[max(lift, 0) : int((middle[row] + reach[row]) / TIME_STEP) + 1] = False
    speed = np.hypot(dx, dy) / TIME_STEP
    return Trajectory(
        np.cumsum(dx).astype(np.float32),
        np.cumsum(dy).astype(np.float32),
        speed.astype(np.float32),
        down,
        pen,
    )
