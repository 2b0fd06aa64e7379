"""``python -m vision train --recipe form-detector``: the finder of signatures, fitted on synthetic forms."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from vision.recipes.synthetic_forms import DPI, make_form
from vision.scans.form_regions import MEASURES, read_page

_SIGNED = (0.1, 0.65, 0.25)
"""Shares of forms with no, one and two signatures."""
_OVERLAP = 0.45
"""Share of a group's box within a signature's, and of a signature's within the group's, from which it counts
as found; between `_BESIDE` and this a group teaches nothing."""
_BESIDE = 0.1


@dataclass(frozen=True)
class Settings:
    """What the recipe can be told.

    Attributes
    ----------
    forms : int
    seed : int
    penalty : float
        Ridge on the line's weights.
    """

    forms: int = 100
    seed: int = 7
    penalty: float = 1.0


def train(settings: Settings, out: Path, say: Callable[[str], None] = print) -> dict:
    """Draw forms, measure their groups, fit the line, and write it as JSON.

    Parameters
    ----------
    settings : Settings
    out : Path
        A .json file.
    say : callable
        Told how it goes.

    Returns
    -------
    dict
        What was written, with the share of signatures found and of other groups taken for one on a fifth of
        the forms, which were not learned from.
    """
    from sklearn.linear_model import LogisticRegression

    measures, labels, owners = [], [], []
    for number in range(settings.forms):
        rng = np.random.default_rng((settings.seed, number))
        form = make_form(rng, synthetic_inks(rng, int(rng.choice(3, p=_SIGNED))))
        for group in read_page(form.pixels).groups:
            box = group.left, group.top, group.width, group.height
            shared = max((overlap(box, place) for place in form.places), default=0.0)
            if _BESIDE < shared < _OVERLAP:
                continue
            measures.append(group.measures)
            labels.append(shared >= _OVERLAP)
            owners.append(number)
        if number % 50 == 49:
            say(f"{number + 1} of {settings.forms} forms, {len(labels)} groups, {sum(labels)} signatures")
    values, labels, held = np.array(measures), np.array(labels), np.array(owners) % 5 == 0
    middle, spread = values.mean(axis=0), np.maximum(values.std(axis=0), 1e-6)
    placed = np.clip((values - middle) / spread, -5, 5)
    terms = np.hstack([placed, placed**2])

    def fitted(rows):
        model = LogisticRegression(C=1 / settings.penalty, max_iter=3000, class_weight="balanced")
        return model.fit(terms[rows], labels[rows])

    tried = fitted(~held).predict(terms[held])
    whole = fitted(slice(None))
    content = {
        "measures": MEASURES,
        "middle": middle.round(6).tolist(),
        "spread": spread.round(6).tolist(),
        "line": whole.coef_[0].round(6).tolist(),
        "offset": round(float(whole.intercept_[0]), 6),
        "settings": asdict(settings),
        "groups": len(labels),
        "signatures": int(labels.sum()),
        "held_out_found": _share(tried[labels[held]]),
        "held_out_mistaken": _share(tried[~labels[held]]),
    }
    text = json.dumps(content) + "\n"
    out.write_text(text, encoding="utf-8")
    return content | {"sha256": hashlib.sha256(text.encode()).hexdigest()}


def _share(answers: np.ndarray) -> float | None:
    return round(float(answers.mean()), 4) if len(answers) else None


def synthetic_inks(rng: np.random.Generator, count: int) -> list[np.ndarray]:
    """Ink of synthetic signers as they sign on a form, at `DPI`."""
    from data.synthetic import signatures
    from vision.scans.preprocess import to_ink

    made = []
    for _ in range(count):
        trajectory = signatures.perform(signatures.make_writer(rng), rng)
        ink = to_ink(signatures.render_scan(trajectory, rng, dpi=240))
        made.append(at_width(ink, rng.uniform(28, 62) * DPI / 25.4))
    return made


def at_width(ink: np.ndarray, width: float) -> np.ndarray:
    """Ink brought to a width, at most half as tall as wide paper allows."""
    factor = min(width / ink.shape[1], 0.75 * width / ink.shape[0])
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
    return cv2.resize(ink, None, fx=factor, fy=factor, interpolation=method)


def overlap(box, place) -> float:
    """The smaller of two shares: of a box inside a place, and of the place inside the box."""
    left, top = max(box[0], place[0]), max(box[1], place[1])
    right = min(box[0] + box[2], place[0] + place[2])
    bottom = min(box[1] + box[3], place[1] + place[3])
    shared = max(0, right - left) * max(0, bottom - top)
    return shared / max(box[2] * box[3], place[2] * place[3], 1)
