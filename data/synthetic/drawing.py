"""From a plan of signatures to image files, in one process or several, always the same."""

from __future__ import annotations

import multiprocessing
import os
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

DPI = 300
LEAN = 0.22  # shear of the whole signature per unit of style; hands differ by about 0.26 of themselves
BATCH = 24  # specimens drawn by a process before it hands them over
AHEAD = 3  # batches per process that may wait to be stored


class Specimen(NamedTuple):
    """A row of the plan; see :func:`data.synthetic.signature_plan.plan_signatures`."""

    student_number: str
    captured_on: pd.Timestamp
    context: str
    writer_seed: int
    style: float
    drawing_seed: int
    kind: str
    forger_seed: int
    flaw: str | None
    disturbance: str | None
    planted: str | None


Draw = Callable[[Specimen], bytes]


def specimens_of(plan: pd.DataFrame) -> list[Specimen]:
    """The rows of a plan."""
    plain = plan[list(Specimen._fields)].astype(object)
    return [Specimen(*row) for row in plain.where(plain.notna(), None).itertuples(index=False, name=None)]


def trajectory_of(specimen: Specimen, rng: np.random.Generator):
    """The movement of the pen: the hand's own, leaning as much further as the hidden style says."""
    from data.synthetic.signatures import make_forger, make_writer, perform

    writer, forger = make_writer(np.random.default_rng(specimen.writer_seed)), None
    if specimen.kind in ("skilled", "traced"):
        forger = make_forger(writer, np.random.default_rng(specimen.forger_seed))
    moved = perform(writer, rng, specimen.kind, forger)
    return replace(moved, x=moved.x - np.float32(LEAN * specimen.style) * moved.y)  # y points down


def draw_specimen(specimen: Specimen) -> bytes:
    """Draw one specimen as PNG; the same row always gives the same bytes."""
    from data.synthetic.paper import encode_png, render_scan

    rng = np.random.default_rng(specimen.drawing_seed)
    moved = trajectory_of(specimen, rng)
    return encode_png(render_scan(moved, rng, flaw=specimen.flaw, disturbance=specimen.disturbance), DPI)


def png_size(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG, from its header."""
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("data must be a PNG")
    return struct.unpack(">II", data[16:24])


def draw_all(
    specimens: list[Specimen], jobs: int = 1, draw: Draw = draw_specimen
) -> Iterator[tuple[Specimen, bytes]]:
    """Draw many specimens, in their order.

    Parameters
    ----------
    specimens : list of Specimen
        What to draw.
    jobs : int
        Processes; 1 draws in this one. The bytes do not depend on it.
    draw : callable
        Draws one specimen; at the top level of an importable module when ``jobs`` is above 1.
    """
    if jobs < 1:
        raise ValueError(f"jobs must be at least 1, got {jobs}")
    if jobs == 1:
        yield from ((specimen, draw(specimen)) for specimen in specimens)
        return
    # A fresh interpreter per process: a fork would share the parent's database connections.
    context = multiprocessing.get_context("spawn")
    batches = [tuple(specimens[start : start + BATCH]) for start in range(0, len(specimens), BATCH)]
    waiting: deque = deque()
    with ProcessPoolExecutor(jobs, mp_context=context, initializer=_prepare) as pool:
        for batch in batches:
            waiting.append((batch, pool.submit(_draw_batch, draw, batch)))
            if len(waiting) >= AHEAD * jobs:
                yield from _finished(waiting)
        while waiting:
            yield from _finished(waiting)


def _finished(waiting: deque) -> Iterator[tuple[Specimen, bytes]]:
    batch, future = waiting.popleft()
    yield from zip(batch, future.result(), strict=True)


def _draw_batch(draw: Draw, batch: tuple[Specimen, ...]) -> list[bytes]:
    return [draw(specimen) for specimen in batch]


def _prepare() -> None:
    """In each process: one thread, as the processes already use every core, and no life without a parent."""
    import cv2

    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """A killed parent cannot tell its processes to stop: they would wait for work forever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
