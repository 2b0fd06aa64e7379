"""Whether the signature of a form is found, and how long a page takes.

Signatures of a real set are laid on forms that are drawn, at 200 dpi; the finder was fitted on other forms,
with drawn signatures. A signature counts as found when the first piece holds nearly all of its ink, and as
found alone when the piece is no more than three times as large as the signature's own bounds.
"""

from __future__ import annotations

import time
from typing import Annotated

import numpy as np
import typer

from benchmarks.options import DataFolder, JsonFile
from benchmarks.report_file import write_result
from benchmarks.signature_sets import read_scan, read_signature_set
from vision.intervals import binomial_interval
from vision.recipes.form_detector import at_width
from vision.recipes.synthetic_forms import DPI, make_form
from vision.scans.form_finder import find_signatures, signature_on
from vision.scans.form_regions import read_page
from vision.scans.preprocess import to_ink

SCALE = 200 / DPI
SEED = 29
HELD = 0.9
"""Share of the signature's bounds inside the piece from which it is found."""


def main(
    data: DataFolder,
    writers: Annotated[int, typer.Option(min=2, help="The first so many writers.")] = 40,
    json_file: JsonFile = None,
) -> None:
    """One form for each writer, and as many that nobody has signed."""
    found = read_signature_set(data, writers)
    right = alone = empty = 0
    seconds = []
    everyone = np.unique(found.writers)
    for number, writer in enumerate(everyone):
        rng = np.random.default_rng((SEED, number))
        ink = to_ink(read_scan(found.paths[found.genuine_of(writer)[0]]))
        ink = at_width(ink, rng.uniform(30, 60) * 200 / 25.4)
        form = make_form(rng, [ink], scale=SCALE)
        start = time.perf_counter()
        places = find_signatures(form.pixels, read_page(form.pixels))
        seconds.append(time.perf_counter() - start)
        held, size = _held(places[0], form.places[0]) if places else (0.0, np.inf)
        right += held >= HELD
        alone += held >= HELD and size <= 3
        bare = make_form(np.random.default_rng((SEED, 10_000 + number)), [], scale=SCALE)
        empty += signature_on(bare.pixels) is not None
    count = len(everyone)
    result = {
        "data": found.name,
        "protocol": {"name": "one real signature on a drawn form, 200 dpi", "forms": count, "seed": SEED},
        "found": binomial_interval(right, count).to_dict(),
        "found_alone": binomial_interval(alone, count).to_dict(),
        "mistaken_on_unsigned": binomial_interval(empty, count).to_dict(),
        "page_p50_ms": round(1000 * float(np.median(seconds)), 1),
        "page_p95_ms": round(1000 * float(np.percentile(seconds, 95)), 1),
    }
    for name in ("found", "found_alone", "mistaken_on_unsigned"):
        one = result[name]
        typer.echo(f"{name:22} {one['value']:.3f} [{one['low']:.3f}-{one['high']:.3f}]")
    typer.echo(f"page {result['page_p50_ms']} ms (p95 {result['page_p95_ms']})")
    write_result(result, json_file)


def _held(place, truth) -> tuple[float, float]:
    """Share of the true bounds inside a place, and the place's size beside theirs."""
    left, top, wide, tall = truth
    across = min(place.left + place.width, left + wide) - max(place.left, left)
    down = min(place.top + place.height, top + tall) - max(place.top, top)
    return max(across, 0) * max(down, 0) / (wide * tall), place.width * place.height / (wide * tall)
