"""Write an invented university into a store: once, whatever interrupts it, and never beside real students."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from data import queries
from data.calendar.setting import SETTINGS
from data.consents.consent import write_consents
from data.engine.database import Store
from data.engine.facts import read_fact, write_fact
from data.engine.progress import Progress
from data.records.frames import RecordFrames
from data.records.write import write_records
from data.signatures.write import NewSpecimen, write_specimens
from data.store import new_import, set_fact
from data.synthetic import campus
from data.synthetic.cohort import BLOCK, SIGNATURE_LINK, University, make_university
from data.synthetic.drawing import DPI, Draw, Specimen, draw_all, draw_specimen, png_size, specimens_of
from data.trust import origin
from data.trust.accounts import Account, write_accounts

ACTOR = "command line"
SOURCE = "synthetic demo data"
KEPT_YEARS = 10
FACT = "demo"  # what the store's invented university was made from, and how far writing it has come


class DemoRefused(ValueError):
    """The store holds something that an invented university must not be written beside."""


@dataclass(frozen=True)
class DemoResult:
    """What :func:`write_demo` left in the store.

    Attributes
    ----------
    students, terms, specimens, advisors : int
        Rows of the invented university, written now or before; ``specimens`` is 0 without signatures.
    drawn : int
        Specimens drawn by this call.
    """

    students: int
    terms: int
    specimens: int
    advisors: int
    drawn: int


def write_demo(
    store: Store,
    *,
    students: int,
    seed: int,
    signatures: bool = True,
    signature_link: float = SIGNATURE_LINK,
    jobs: int = 1,
    draw: Draw = draw_specimen,
    progress: Progress | None = None,
) -> DemoResult:
    """Make the university of a seed and write all of it.

    Killed at any moment and called again with the same arguments it completes: nothing is lost or doubled.

    Parameters
    ----------
    store : Store
        Empty, or with the same invented university, whole or in part.
    students : int
        Students ever registered.
    seed : int
        The same seed gives the same university and the same images, whatever ``jobs``.
    signatures : bool
        Whether specimens are drawn and stored.
    signature_link : float
        See :func:`data.synthetic.cohort.make_university`.
    jobs : int
        Processes that draw.
    draw : callable
        Draws a specimen as PNG.
    progress : Progress, optional

    Raises
    ------
    DemoRefused
        When the store holds real students or another invented university.
    """
    made_from = {"students": students, "seed": seed, "signature_link": signature_link}
    done = _claim(store, made_from)
    counted, drawn = Counter[str](), 0
    for block, first in enumerate(range(0, students, BLOCK)):
        records, drawings, import_id = (_stage(name, block) for name in ("records", "specimens", "import_id"))
        if not _is_whole(done, records, drawings, signatures):
            rng = np.random.default_rng([seed, block] if block else seed)
            university = make_university(min(BLOCK, students - first), rng, signature_link, block=block)
            if records not in done:
                _write_register(store, university, progress)
            _note(store, made_from, done, records, _counts(university))
            if signatures and drawings not in done:
                if import_id not in done:
                    _note(store, made_from, done, import_id, _signatures_import(store))
                drawn += _write_signatures(store, university, done[import_id], (jobs, draw, progress))
                _note(store, made_from, done, drawings)
        counted.update(
            {name: n for name, n in done[records].items() if name != "specimens" or drawings in done}
        )
    return DemoResult(students, counted["terms"], counted["specimens"], counted["advisors"], drawn)


def _is_whole(done: dict, records: str, drawings: str, signatures: bool) -> bool:
    """Whether everything of a block is written, and counted: earlier versions did not count."""
    return isinstance(done.get(records), dict) and (drawings in done or not signatures)


def _counts(university: University) -> dict[str, int]:
    return {
        "terms": len(university.frames.need("terms")),
        "specimens": len(university.signatures),
        "advisors": int((university.accounts["role"] == "advisor").sum()),
    }


def _stage(name: str, block: int) -> str:
    """What is noted when a stage of a block is done; of the first block by the name alone."""
    return f"{name} {block + 1}" if block else name


def _claim(store: Store, made_from: dict) -> dict:
    """Mark the store as this synthetic university's, or refuse. Returns the stages done so far."""
    with store.writing() as connection:
        earlier = read_fact(connection, FACT)
        if earlier is None:
            _refuse_unless_empty(connection)
            write_fact(connection, origin.MARK, True)
            write_fact(connection, "institution", campus.INSTITUTION)
            write_fact(connection, SETTINGS, {"time_zone": campus.TIME_ZONE})
            write_fact(connection, FACT, {**made_from, "done": {}})
            return {}
    if {name: earlier[name] for name in made_from} != made_from:
        raise DemoRefused(
            f"store must be empty or hold the demo of {made_from}, got the demo of "
            f"{ {name: earlier[name] for name in made_from} }; choose another TEPAT_FOLDER or DATABASE_URL"
        )
    return dict(earlier["done"])


def _refuse_unless_empty(connection: Connection) -> None:
    """A demo opens every account by one click, so it begins where nobody has anything yet."""
    mark = read_fact(connection, origin.MARK)
    held = ", ".join(f"{n} {name}" for name, n in origin.emptiness(connection).items() if n)
    if mark is False:
        held = f"a store begun as an institution's own ({held or 'nothing in it yet'})"
    if held:
        raise DemoRefused(
            f"store must be empty or hold this demo when synthetic demo data are written, got {held}; choose "
            "another TEPAT_FOLDER or DATABASE_URL"
        )


def _note(store: Store, made_from: dict, done: dict, stage: str, value: object = True) -> None:
    done[stage] = value
    set_fact(store, FACT, {**made_from, "done": done})


def _write_register(store: Store, university: University, progress: Progress | None) -> None:
    """Records, then the corrections that came later, then consents and accounts."""
    described = {"files": {}, "actor": ACTOR, "synthetic": True}
    keys = university.student_keys
    write_records(
        store,
        university.frames,
        source=SOURCE,
        student_keys=keys,
        progress=progress,
        **described,
    )
    if len(university.corrections):
        corrections = RecordFrames(terms=university.corrections, course_attempts=university.changed_marks)
        write_records(store, corrections, source=f"{SOURCE}: corrections", **described)
    write_consents(store, university.consents, actor="registry")
    write_accounts(
        store, [Account(row.account, row.display_name, row.role) for row in university.accounts.itertuples()]
    )


def _signatures_import(store: Store) -> str:
    return new_import(store, source=f"{SOURCE}: signatures", files={}, actor=ACTOR, synthetic=True)


def _write_signatures(store: Store, university: University, import_id: str, tools) -> int:
    """Draw and store the specimens that are not there yet. Returns how many were drawn."""
    jobs, draw, progress = tools
    plan = _not_stored(store, university)
    images = draw_all(specimens_of(plan), jobs, draw)
    write_specimens(
        store,
        _as_new(images),
        actor=ACTOR,
        import_id=import_id,
        synthetic=True,
        progress=progress,
        total=len(plan),
    )
    return len(plan)


def _not_stored(store: Store, university: University) -> pd.DataFrame:
    """The plan without the students whose specimens are all stored.

    What a specimen's bytes are is only known once it is drawn, so a student is drawn again as a whole; the
    store leaves out the files that it has.
    """
    stored = queries.specimen_table(store)["student_key"].value_counts()
    plan = university.signatures
    wanted = plan.groupby("student_number")["student_number"].transform("size")
    have = plan["student_number"].map(university.student_keys).map(stored).fillna(0)
    return plan[have < wanted]


def _as_new(images) -> Iterator[NewSpecimen]:
    specimen: Specimen
    for specimen, data in images:
        width, height = png_size(data)
        captured = specimen.captured_on.date()
        yield NewSpecimen(
            student_number=specimen.student_number,
            data=data,
            captured_on=captured,
            context=specimen.context,
            file_format="png",
            width=width,
            height=height,
            dpi=DPI,
            planted=specimen.planted,
            retention_until=captured.replace(year=captured.year + KEPT_YEARS, day=min(captured.day, 28)),
        )
