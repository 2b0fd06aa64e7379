"""Is what was planted in a register of other writers found, and how many strangers come along?

Each case is planted alone, for several pairs of students: a signature scanned anew under another name, two of
another's signatures on a student's file, one hand for all of a student's signatures, and one hand under
another name. On real paper nobody's second name is known: there the left halves of a writer's signatures
stand for one student and the right halves for another; synthetic writers sign two names.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from benchmarks.options import JsonFile
from benchmarks.report_file import write_result
from data.synthetic import signatures
from vision.descriptor.common_scale import DescriptorSpace
from vision.descriptor.descriptors import Descriptor, load_descriptor
from vision.descriptor.outlines import Outlines
from vision.intervals import binomial_interval
from vision.scans.preprocess import to_gray, to_ink
from vision.scans.signature_folders import read_scan, read_signature_set
from vision.search.hand_style import style_of
from vision.search.one_hand import Alike, Register, foreign_specimens, other_names, same_hands
from vision.search.turned_copies import OutlineChance, same_images

OWN, SPARE = 5, 5
"""Signatures on each student's file, and others of the same writer that are planted elsewhere."""
FOREIGN = 2
ANGLES, SCALES = (0, 1, 3, 5, 8), (0.5, 0.75, 1.3)
MARGIN = 0.2
"""Of the width: paper beside the signature, so that turning cuts nothing off."""
COMPRESSION, NOISE = 70, 3.0
"""JPEG quality, and gray levels of noise, of a scan made anew."""


@dataclass(frozen=True)
class Hands:
    """Writers in memory.

    Attributes
    ----------
    name : str
    scans : list of list of uint8 arrays
        Of each writer `OWN` + `SPARE` scans.
    other : list of two float32 (writers, OWN, d)
        Descriptors of each writer under one name and under another.
    """

    name: str
    scans: list[list[np.ndarray]]
    other: list[np.ndarray]


def main(
    data: Annotated[
        Path | None, typer.Option(help="Folder with one folder per writer; else synthetic.")
    ] = None,
    writers: Annotated[int, typer.Option(min=20, help="At most so many.")] = 55,
    planted: Annotated[int, typer.Option(min=1, help="Pairs of students with something planted.")] = 8,
    expected: Annotated[float, typer.Option(min=0.001, help="Strangers that chance may bring.")] = 1.0,
    json_file: JsonFile = None,
) -> None:
    """Plant each kind of duplicate in a register and count what the search finds."""
    tool = load_descriptor()
    hands = _synthetic(tool, writers) if data is None else _of_set(tool, data, writers)
    planted = min(planted, len(hands.scans) // 3)
    result = {
        "command": f"python -m benchmarks duplicates{' --data DIR' if data else ''} --writers {writers}",
        "data": hands.name,
        "protocol": {
            "writers": len(hands.scans),
            "signatures_each": OWN,
            "planted": planted,
            "expected_by_chance": expected,
            "other_name": "another name" if data is None else "left halves against right halves",
        },
        **measure(hands, tool, planted, expected),
    }
    for name in ("rescanned", "one_hand"):
        typer.echo(name)
        for row in result[name]:
            typer.echo("  " + json.dumps(row))
    write_result(result, json_file)


def measure(hands: Hands, tool: Descriptor, planted: int, expected: float) -> dict:
    """Rows of what was found, of each kind."""
    count = len(hands.scans)
    inks = [[to_ink(scan) for scan in some] for some in hands.scans]
    described = tool.describe([ink for some in inks for ink in some]).reshape(count, OWN + SPARE, -1)
    placed = _scaled(described[:, :OWN], tool).place(described.reshape(-1, described.shape[-1]))
    return {
        "rescanned": _rescanned(hands, inks, planted),
        "one_hand": _one_hand(placed.reshape(described.shape), hands, tool, planted, expected),
    }


def _rescanned(hands: Hands, inks: list[list[np.ndarray]], planted: int) -> list[dict]:
    count = len(inks)
    filed = [ink for some in inks for ink in some[:OWN]]
    owners = np.repeat(np.arange(count), OWN).tolist()
    outlines, rows = Outlines().describe(filed), []
    for angle in ANGLES:
        for scale in SCALES:
            rng = np.random.default_rng((angle, round(100 * scale)))
            made = [to_ink(scanned_again(hands.scans[k][0], angle, scale, rng)) for k in range(planted)]
            every = [*filed, *made]
            whose = [*owners, *(count - 1 - k for k in range(planted))]
            of_all = np.concatenate([outlines, Outlines().describe(made)])
            hits = same_images(of_all, whose, lambda row, every=every: every[row])
            wanted = {(OWN * k, len(filed) + k) for k in range(planted)}
            found = [hit for hit in hits if (hit.first, hit.second) in wanted]
            chance = OutlineChance.of(of_all, whose)
            chances = [chance.expected(of_all[hit.first], of_all[hit.second]) for hit in found]
            about = {"degrees": angle, "scale": scale, **counted(len(found), planted)}
            about |= {"strangers": len(hits) - len(found), "pairs": chance.pairs}
            rows.append(about | {"most_expected": float(max(chances, default=0.0))})
    return rows


def _one_hand(
    placed: np.ndarray, hands: Hands, tool: Descriptor, planted: int, expected: float
) -> list[dict]:
    count = len(placed)
    pairs = [(k, count - 1 - k) for k in range(planted)]
    own = [placed[k, :OWN] for k in range(count)]
    nothing = _register(own, tool)
    foreign, whole = list(own), list(own)
    for source, host in pairs:
        foreign[host] = np.concatenate([own[host], placed[source, OWN : OWN + FOREIGN]])
        whole[host] = placed[source, OWN:]
    searches: list[tuple[str, Register, Callable[[Register], Alike]]] = [
        ("nothing planted, same hand", nothing, lambda register: same_hands(register, expected)),
        (
            "nothing planted, single specimens",
            nothing,
            lambda register: foreign_specimens(register, expected),
        ),
        (
            "two of another's specimens",
            _register(foreign, tool),
            lambda one: foreign_specimens(one, expected),
        ),
        ("all specimens of one hand", _register(whole, tool), lambda one: same_hands(one, expected)),
    ]
    rows = [_row(name, search(register), register, pairs, planted) for name, register, search in searches]
    space = _scaled(np.concatenate(hands.other), tool)
    first, second = (
        space.place(part.reshape(-1, part.shape[-1])).reshape(part.shape) for part in hands.other
    )
    named = [*first]
    for source, host in pairs:
        named[host] = second[source]
    for k in range(planted, count - planted, 2):  # names, or halves, of either sort on both sides
        named[k] = second[k]
    register = _register(named, tool)
    return [*rows, _row("another name", other_names(register, expected), register, pairs, planted)]


def _scaled(described: np.ndarray, tool: Descriptor) -> DescriptorSpace:
    """The scale of these descriptors' own, as a search takes it from a register of so many writers."""
    return DescriptorSpace.fit(described.reshape(-1, described.shape[-1]), tool.blocks)


def _row(name: str, alike: Alike, register: Register, pairs: list[tuple[int, int]], planted: int) -> dict:
    wanted = {frozenset(pair) for pair in pairs}
    by_specimen = name in ("nothing planted, single specimens", "two of another's specimens")
    found = [
        frozenset((int(register.owners[hit.first]) if by_specimen else hit.first, hit.second))
        for hit in alike.hits
    ]
    hits = len(wanted & set(found)) if "nothing" not in name else 0
    about = {"case": name, "pairs": alike.pairs, "strangers": len(found) - hits}
    return about if "nothing" in name else about | counted(hits, planted)


def counted(found: int, planted: int) -> dict:
    """How many of those planted were found, and the share's 95 % interval."""
    share = binomial_interval(found, planted)
    return {"found": found, "of": planted, "low": round(share.low, 3), "high": round(share.high, 3)}


def _register(files: Sequence[np.ndarray], tool: Descriptor) -> Register:
    means = np.array([part.mean(axis=0) for part in files], np.float32)
    owners = np.repeat(np.arange(len(files)), [len(part) for part in files])
    return Register(owners, np.concatenate(list(files)), means, style_of(means, tool.blocks))


def scanned_again(scan: np.ndarray, degrees: float, scale: float, rng: np.random.Generator) -> np.ndarray:
    """The same paper on another scanner: crooked, at another resolution, with noise, saved as JPEG.

    Parameters
    ----------
    scan : uint8 (h, w) or (h, w, 3)
    degrees : float
        Turned to the left.
    scale : float
    rng : Generator

    Returns
    -------
    uint8 (h', w')
    """
    gray = to_gray(scan)
    paper, margin = float(np.median(gray)), round(MARGIN * gray.shape[1])
    wide = cv2.copyMakeBorder(gray, *([margin] * 4), cv2.BORDER_CONSTANT, value=paper)
    matrix = cv2.getRotationMatrix2D((wide.shape[1] / 2, wide.shape[0] / 2), degrees, 1)
    turned = cv2.warpAffine(wide, matrix, wide.shape[::-1], flags=cv2.INTER_CUBIC, borderValue=paper)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    sized = cv2.resize(turned, None, fx=scale, fy=scale, interpolation=how)
    noisy = np.clip(sized + rng.normal(0, NOISE, sized.shape), 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", noisy, [cv2.IMWRITE_JPEG_QUALITY, COMPRESSION])
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)


def half_of(ink: np.ndarray, side: int) -> np.ndarray:
    """The left (0) or right (1) half of a signature's ink, cropped."""
    across = np.cumsum(ink.sum(axis=0, dtype=np.float64))
    middle = int(np.searchsorted(across, across[-1] / 2))
    part = ink[:, :middle] if side == 0 else ink[:, middle:]
    left, top, width, height = cv2.boundingRect(part)
    return np.ascontiguousarray(part[top : top + height, left : left + width])


def _of_set(tool: Descriptor, data: Path, most: int) -> Hands:
    found = read_signature_set(data)
    able = [w for w in dict.fromkeys(found.writers.tolist()) if len(found.genuine_of(w)) >= OWN + SPARE]
    scans = [
        [read_scan(found.paths[row]) for row in found.genuine_of(writer)[: OWN + SPARE]]
        for writer in able[:most]
    ]
    halves = [
        np.array([tool.describe([half_of(to_ink(scan), side) for scan in some[:OWN]]) for some in scans])
        for side in (0, 1)
    ]
    return Hands(found.name, scans, halves)


def _synthetic(tool: Descriptor, count: int) -> Hands:
    scans, names = [], [[], []]
    for number in range(count):
        rng = np.random.default_rng((20_260_814, number))
        writer = signatures.make_writer(rng)
        other = signatures.other_name(writer, rng)
        made = [_signed(writer, rng) for _ in range(OWN + SPARE)]
        scans.append(made)
        names[0].append(tool.describe([to_ink(scan) for scan in made[:OWN]]))
        names[1].append(tool.describe([to_ink(_signed(other, rng)) for _ in range(OWN)]))
    return Hands("synthetic", scans, [np.array(part) for part in names])


def _signed(writer: signatures.Writer, rng: np.random.Generator) -> np.ndarray:
    return signatures.render_scan(signatures.perform(writer, rng), rng)
