"""The nearest of many specimens: our scan of codes beside faiss, which compares every descriptor in full.

Descriptors are drawn, not measured: nobody has a million signatures to share. Each writer has a centre, whose
numbers differ the less the later they stand, so that of 1,024 the first 127 hold about four fifths of the
variance, as with the shipped synthetic signers, and signs around it, some writers more steadily than others.
Half of the questions are further signatures of writers on file, half of writers who are not. Both ways are
asked the same questions alternately, one at a time, as a signature is looked up, and a batch at a time.
Recall is the share of the nearest that comparing everything finds.

*one hand* is the search for students whose mean signatures lie closer than strangers' do, beside scoring
every pair, as it was done before. *signers* are descriptors of the shipped synthetic signers, which were
drawn and described like scans.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer

from benchmarks.options import JsonFile
from benchmarks.report_file import write_result
from benchmarks.speed import Pair, compared
from vision.descriptor.common_scale import squared_distances
from vision.search.coding import Coding
from vision.search.duplicates import NEAR_BOTH, Rows, Tail, close_pairs, stranger_scores
from vision.search.duplicates import compared as with_usual
from vision.search.nearest import SpecimenIndex

EACH = 10
"""Signatures of a writer."""
BEST = 10
BATCH = 64
PIECE = 50_000
LINKS, BUILD_WIDTH, WIDTHS = 16, 40, (32, 128, 512)
RERANKED = 4
PROJECTED = 1_024
"""Numbers of a mean signature in a search for one hand over a large register."""
TARGETS = {"speed": 2.0, "recall": 0.999}


@dataclass(frozen=True)
class Drawn:
    """Descriptors of invented writers.

    Attributes
    ----------
    count, numbers : int
        Specimens on file, and numbers of a descriptor.
    seed : int
    """

    count: int
    numbers: int
    seed: int

    def pieces(self) -> Iterator[tuple[int, np.ndarray]]:
        """First place and rows, float32, some at a time; the same every time."""
        for start in range(0, self.count, PIECE):
            rng = np.random.default_rng((self.seed, start))
            size = min(PIECE, self.count - start)
            yield start, self._around(self._centres(rng, -(-size // EACH)), EACH, rng)[:size]

    def queries(self, count: int) -> np.ndarray:
        """Signatures that are not on file, of writers who are and of writers who are not, in turn."""
        rng, filed = np.random.default_rng((self.seed, 1)), min(PIECE, self.count)
        known = self._centres(np.random.default_rng((self.seed, 0)), -(-filed // EACH))
        of = np.where(np.arange(count) % 2 == 0, rng.integers(0, len(known), count), -1)
        centres = np.where((of >= 0)[:, None], known[of], self._centres(rng, count))
        return self._around(centres, 1, rng)

    def _spread(self) -> np.ndarray:
        return ((1 + np.arange(self.numbers)) ** -0.55).astype(np.float32)

    def _centres(self, rng: np.random.Generator, writers: int) -> np.ndarray:
        return rng.standard_normal((writers, self.numbers), dtype=np.float32) * self._spread()

    def _around(self, centres: np.ndarray, each: int, rng: np.random.Generator) -> np.ndarray:
        steadiness = rng.uniform(0.4, 0.8, (len(centres), 1)).astype(np.float32).repeat(each, axis=0)
        noise = rng.standard_normal((len(centres) * each, self.numbers), dtype=np.float32)
        return centres.repeat(each, axis=0) + steadiness * self._spread() * noise


def main(
    specimens: Annotated[int, typer.Option(min=1_000, help="Specimens on file.")] = 1_000_000,
    numbers: Annotated[int, typer.Option(min=2, help="Numbers of a descriptor.")] = 128,
    long_specimens: Annotated[int, typer.Option(min=0, help="Specimens with long descriptors.")] = 200_000,
    long_numbers: Annotated[int, typer.Option(min=2, help="Numbers of a long descriptor.")] = 1_024,
    students: Annotated[int, typer.Option(min=100, help="Students to search for one hand.")] = 20_000,
    queries: Annotated[int, typer.Option(min=BATCH, help="Questions asked in each round.")] = 100,
    rounds: Annotated[int, typer.Option(min=2, help="Times that each pair is run.")] = 7,
    graph: Annotated[bool, typer.Option(help="Build faiss's HNSW graph too; takes minutes.")] = True,
    seed: Annotated[int, typer.Option(help="Seed of the random numbers.")] = 1,
    json_file: JsonFile = None,
) -> None:
    """Time of a question, recall and memory, beside faiss's exact search and its approximate ones."""
    threads = len(os.sched_getaffinity(0))
    found = measure(Drawn(specimens, numbers, seed), queries, rounds, threads, graph)
    rows = {f"{specimens} x {numbers}": found}
    if long_specimens:
        rows[f"{long_specimens} x {long_numbers}"] = measure(
            Drawn(long_specimens, long_numbers, seed), queries, rounds, threads, False
        )
    write_result(
        {
            "command": f"python -m benchmarks search --specimens {specimens} --numbers {numbers} "
            f"--long-specimens {long_specimens} --long-numbers {long_numbers} --students {students} "
            f"--queries {queries} --rounds {rounds}",
            "data": f"drawn descriptors of writers with {EACH} signatures each; shipped synthetic signers",
            "protocol": f"both ways alternately in one process, wall time, {queries} questions, the {BEST} "
            f"nearest; ratio of the medians, low and high of {rounds} rounds; batch: {BATCH} at once",
            "load_average": round(os.getloadavg()[0], 1),
            "targets": TARGETS,
            "rows": rows,
            "one_hand": one_hand(students, seed),
            "signers": signers(),
        },
        json_file,
    )


def measure(drawn: Drawn, queries: int, rounds: int, threads: int, graph: bool) -> dict:
    """Figures of one size: pairs with faiss's exact search, recall, memory, and faiss's other ways."""
    import faiss

    index, flat, seconds = filed(drawn)
    asked = drawn.queries(queries)
    faiss.omp_set_num_threads(threads)
    truth = flat.search(asked, BEST)[1]
    near = index.search(asked, BEST)
    typer.echo(f"{drawn.count} x {drawn.numbers}: coded and filed in {seconds:.1f} s")
    result = {
        "pairs": pairs_of(index, flat, asked, rounds, threads),
        **recalls(near.specimens, truth),
        "proven": round(float(near.proven.mean()), 4),
        "compared_in_full": float(np.median(near.compared)),
        "megabytes": {
            "codes": round(index.code_bytes / 1e6, 1),
            "descriptors": round(index.row_bytes / 1e6, 1),
            "faiss_flat": round(4e-6 * drawn.count * drawn.numbers, 1),
        },
        "seconds_to_file": round(seconds, 1),
        "changes": changes(index, drawn),
    }
    typer.echo(f"  recall@1 {result['recall_at_1']:.4f}  @{BEST} {result['recall_at_10']:.4f}")
    typer.echo(f"  proven {result['proven']:.3f}, {result['compared_in_full']:.0f} compared in full")
    typer.echo(f"  megabytes {result['megabytes']}  changes {result['changes']}")
    del index
    return result | {"others": others(drawn, flat, asked, truth, threads, graph)}


def pairs_of(index: SpecimenIndex, flat, asked: np.ndarray, rounds: int, threads: int) -> dict[str, dict]:
    """Questions a second of both ways, by threads and by how many are asked at once."""
    pairs = {}
    for name, count, size in (
        ("one thread", 1, 1),
        ("all threads", threads, 1),
        (f"batch of {BATCH}", threads, BATCH),
    ):
        with_threads(index, count)
        ours = in_turn(lambda some: index.search(some, BEST), asked, size)
        peer = in_turn(lambda some: flat.search(some, BEST), asked, size)
        pair = Pair(ours, peer, ("scan of codes, compared in full", "faiss flat"), "queries/s")
        told = compared(pair, rounds)
        each = {"ours": round(1e3 / told["ours"], 3), "peer": round(1e3 / told["peer"], 3)}
        pairs[name] = told | {"ms": each, "threads": count, "questions_at_once": size}
        typer.echo(
            f"  {name:12s} {each['ours']:8.2f} ms beside {each['peer']:8.2f} ms: "
            f"{told['ratio']:.2f} times ({told['low']:.2f} to {told['high']:.2f})"
        )
    return pairs


def filed(drawn: Drawn) -> tuple:
    """Our index, faiss's, and the seconds that coding and filing took."""
    import faiss

    flat, index, seconds = faiss.IndexFlatL2(drawn.numbers), None, 0.0
    for start, rows in drawn.pieces():
        flat.add(rows)
        began = time.perf_counter()
        index = index or SpecimenIndex(Coding.fit(rows))
        places = range(start, start + len(rows))
        index.add(places, [place // EACH for place in places], rows)
        seconds += time.perf_counter() - began
    return index, flat, seconds


def with_threads(index: SpecimenIndex, count: int) -> None:
    """Have both ways use so many threads."""
    import faiss

    faiss.omp_set_num_threads(count)
    index.use_threads(count)


def in_turn(search: Callable[[np.ndarray], object], asked: np.ndarray, size: int) -> Callable[[], int]:
    """Ask all questions, so many at once; how many were asked."""

    def ask() -> int:
        done = 0
        for start in range(0, len(asked) - size + 1, size):
            search(asked[start : start + size])
            done += size
        return done

    return ask


def recalls(found: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Share of the nearest, and of the ten nearest, that were found."""
    hits = [len(set(ours.tolist()) & set(true.tolist())) for ours, true in zip(found, truth, strict=True)]
    return {
        "recall_at_1": round(float(np.mean(found[:, 0] == truth[:, 0])), 4),
        "recall_at_10": round(float(np.sum(hits)) / truth.size, 4),
    }


def changes(index: SpecimenIndex, drawn: Drawn, count: int = 1_000) -> dict[str, float]:
    """Microseconds to remove a specimen, and to add it again."""
    _, rows = next(iter(drawn.pieces()))
    places = list(range(0, min(len(rows), drawn.count), max(1, min(len(rows), drawn.count) // count)))
    began = time.perf_counter()
    index.remove(places)
    removed = time.perf_counter() - began
    began = time.perf_counter()
    for place in places:
        index.add([place], [place // EACH], rows[place : place + 1])
    added = time.perf_counter() - began
    each = 1e6 / len(places)
    return {"remove_us": round(each * removed, 1), "add_us": round(each * added, 1)}


def others(drawn: Drawn, flat, asked: np.ndarray, truth: np.ndarray, threads: int, graph: bool) -> list[dict]:
    """faiss's own approximate searches on the same questions, one at a time, with all threads."""
    import faiss

    ways = [("faiss SQ8", lambda: faiss.index_factory(drawn.numbers, "SQ8"), (RERANKED * BEST,))]
    if graph:
        ways.append(("faiss HNSW, SQ8", lambda: _graph(drawn.numbers), WIDTHS))
    rows = []
    faiss.omp_set_num_threads(threads)
    for name, make, settings in ways:
        other, began = make(), time.perf_counter()
        other.train(flat.reconstruct_n(0, min(drawn.count, PIECE)))
        for _, some in drawn.pieces():
            other.add(some)
        built = time.perf_counter() - began
        refined = faiss.IndexRefine(other, flat)
        refined.k_factor = RERANKED
        for setting in settings:
            if graph and isinstance(other, faiss.IndexHNSW):
                other.hnsw.efSearch = setting
            found = refined.search(asked, BEST)[1]
            times = []
            for query in asked:
                began = time.perf_counter()
                refined.search(query[None], BEST)
                times.append(1e3 * (time.perf_counter() - began))
            row = {"way": f"{name}, then in full", "setting": setting, "build_seconds": round(built, 1)}
            row |= {"ms": round(float(np.median(times)), 3), **recalls(found, truth)}
            row["megabytes"] = round(faiss.serialize_index(other).nbytes / 1e6, 1)
            typer.echo(f"  {row}")
            rows.append(row)
    return rows


def _graph(numbers: int):
    import faiss

    made = faiss.IndexHNSWSQ(numbers, faiss.ScalarQuantizer.QT_8bit, LINKS)
    made.hnsw.efConstruction = BUILD_WIDTH
    return made


def one_hand(students: int, seed: int) -> dict:
    """The search for one hand under two names, beside scoring every pair of students."""
    rows = planted_pairs(students, PROJECTED, max(1, students // 1_000), seed)
    pairs = students * (students - 1) // 2
    limit = Tail.fit(stranger_scores(rows, rows)).limit(pairs, 1.0)

    def ours() -> int:
        found["ours"] = [(hit.first, hit.second) for hit in close_pairs("same_hand", rows, rows, limit)]
        return pairs

    def peer() -> int:
        found["peer"] = [pair for pair, _ in scored_in_full(rows, limit)]
        return pairs

    found: dict[str, list] = {}
    result = compared(Pair(ours, peer, ("those within reach are scored", "every pair is"), "pairs/s"), 2)
    result |= {"students": students, "numbers": PROJECTED, "findings": len(found["ours"])}
    result["same_findings"] = found["ours"] == found["peer"]
    result["seconds"] = [round(pairs / result["ours"], 1), round(pairs / result["peer"], 1)]
    typer.echo(f"one hand: {result}")
    return result


def planted_pairs(students: int, numbers: int, planted: int, seed: int) -> Rows:
    """Means of students, of whom the first so many pairs are one hand each."""
    rng = np.random.default_rng((seed, 2))
    means = rng.standard_normal((students, numbers), dtype=np.float32)
    means *= ((1 + np.arange(numbers)) ** -0.5).astype(np.float32)
    means[1 : 2 * planted : 2] = means[: 2 * planted : 2] * np.float32(1.05)
    places = np.arange(students)
    return with_usual(means, places, means, places)


def scored_in_full(rows: Rows, limit: float, block: int = 512) -> list[tuple[tuple[int, int], float]]:
    """Pairs that score at most the limit, with their scores, the lowest first: every pair is scored."""
    found, middle, spread = [], rows.usual.middle, rows.usual.spread
    for start in range(0, len(rows.vectors), block):
        part = slice(start, start + block)
        logs = 0.5 * np.log(np.maximum(squared_distances(rows.vectors[part], rows.vectors), 1e-12))
        ours = (logs - middle[part, None]) / spread[part, None]
        theirs = (logs - middle) / spread
        scores = np.where(np.maximum(ours, theirs) <= NEAR_BOTH, 0.5 * (ours + theirs), np.nan)
        for row, column in zip(*np.nonzero(scores <= limit), strict=True):
            if start + row < column:
                found.append(((int(start + row), int(column)), float(scores[row, column])))
    return sorted(found, key=lambda one: (one[1], one[0]))


def signers() -> dict:
    """The shipped synthetic signers: each specimen's nearest among the others, beside comparing all."""
    from vision.descriptor.descriptors import load_descriptor
    from vision.verification.ground import background_of
    from vision.verification.synthetic_ground import SHIPPED, read_synthetic

    blocks = load_descriptor().blocks
    writers = read_synthetic(SHIPPED, blocks).writers
    space = background_of(writers, blocks).space
    own = [space.place(one.genuine) for one in writers]
    filed_rows = np.concatenate([rows[:-1] for rows in own])
    owners = np.repeat(np.arange(len(own)), [len(rows) - 1 for rows in own])
    asked = np.array([rows[-1] for rows in own])
    index = SpecimenIndex(Coding.fit(filed_rows), most=len(filed_rows) // 4)
    index.add(range(len(filed_rows)), owners.tolist(), filed_rows)
    near = index.search(asked, BEST)
    apart = np.linalg.norm(filed_rows[None] - asked[:, None], axis=2)
    truth = np.argsort(apart, axis=1)[:, :BEST]
    hits = near.owners[:, 0] == np.arange(len(own))
    result = {
        "specimens": len(filed_rows),
        "numbers": filed_rows.shape[1],
        **recalls(near.specimens, truth),
        "proven": round(float(near.proven.mean()), 4),
        "compared_in_full": float(np.median(near.compared)),
        "nearest_is_the_writers": round(float(hits.mean()), 4),
    }
    typer.echo(f"signers: {result}")
    return result
