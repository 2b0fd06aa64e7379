"""All public files of a programme at once, against an attacker who adds and subtracts across them.

The attack is written apart from the code it tries: it groups students by the cells that count them, takes
every printed count of every file as an equation, and asks an integer programme how far each hidden count is
known.
"""

from __future__ import annotations

import random
import shutil
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from dashboard.reports import pipeline
from dashboard.reports.model import OPEN, SUPPRESSED
from dashboard.reports.profile import profile_ids
from dashboard.reports.profile_checks import ProfileError
from data.records.ingest import Source, apply_import, plan_import
from data.store import open_store
from data.trust.scope import Scope

OFFICE = Path(__file__).parents[2] / "registers" / "office"
FILES = {"students": "mahasiswa.csv", "terms": "aktivitas.csv", "outcomes": "lulusan.csv"}
READ_ON = date(2026, 9, 15)
YEARS = 2


@pytest.fixture(scope="module")
def office(sqlite_template, tmp_path_factory):
    """The register of 79 students that an office keeps, of which nearly every count is small."""
    folder = tmp_path_factory.mktemp("attacked")
    shutil.copy(sqlite_template, folder / "tepat.db")
    store = open_store(f"sqlite:///{folder / 'tepat.db'}", folder=folder)
    sources = [Source.from_path(table, OFFICE / name) for table, name in FILES.items()]
    apply_import(store, plan_import(sources, store=store, today=READ_ON), actor="tester")
    yield store
    store.close()


@pytest.fixture(scope="module")
def files(office):
    """Full and public tables of every instrument and both programmes, in an order that dice threw."""
    register = pipeline.read_register(office, Scope.system())
    last = register.last_full_year()
    wanted = [
        (ts, name, program)
        for ts in range(last - YEARS + 1, last + 1)
        for name in profile_ids()
        for program in register.programs["program_code"]
    ]
    random.Random(3).shuffle(wanted)
    made = []
    for ts, name, program in wanted:
        try:
            table, _ = pipeline.build(office, register, pipeline.Request(name, program, ts))
        except ProfileError:
            continue
        made.append((table, pipeline.public(office, register, table)))
    return made


def counted(table):
    """Address → students of every count that the register gave, printed or not."""
    formats = {column.key: column.format for column in table.profile.columns}
    return {
        address: frozenset(cell.students)
        for address, cell in table.cells.items()
        if cell.kind == "measure" and cell.state == OPEN and formats[address[1]] == "0"
    }


def test_no_hidden_count_can_be_worked_out_from_all_public_files_together(files):
    assert len(files) > 20
    sets = [
        (at, address, who) for at, (full, _) in enumerate(files) for address, who in counted(full).items()
    ]
    touched = defaultdict(list)
    for number, (_, _, who) in enumerate(sets):
        for student in who:
            touched[student].append(number)
    atoms = Counter(tuple(numbers) for numbers in touched.values())
    place = {atom: at for at, atom in enumerate(atoms)}
    size = np.array(list(atoms.values()), dtype=float)
    rows = np.zeros((len(sets), len(atoms)))
    for atom, at in place.items():
        rows[list(atom), at] = 1
    printed, hidden = [], []
    for number, (at, address, who) in enumerate(sets):
        shown = files[at][1].cell(*address)
        if shown.state == OPEN:
            assert shown.value == len(who)
            printed.append(number)
        else:
            assert shown.state == SUPPRESSED and shown.value is None
            hidden.append(number)
    small = {rows[number].tobytes(): number for number in hidden if 0 < len(sets[number][2]) < 5}
    assert len(small) > 5, "nothing to attack"
    known = rows[printed]
    told = known @ size
    for number in small.values():
        ends = []
        for sign in (1, -1):
            answer = milp(
                sign * rows[number],
                constraints=LinearConstraint(known, told, told),
                integrality=np.ones(len(size)),
                bounds=Bounds(0, size.max() + 50),
            )
            assert answer.success
            ends.append(round(sign * answer.fun))
        at, address, who = sets[number]
        assert ends[1] - ends[0] >= 4, (files[at][0].profile.id, address, len(who), ends)


def test_no_count_under_five_is_printed_in_any_of_them(files):
    for full, public in files:
        for address in counted(full):
            value = public.cell(*address).value
            assert value is None or value == 0 or value >= 5, (full.profile.id, address)


def test_no_mean_is_told_with_more_digits_than_it_prints_and_no_extreme_at_all(files):
    seen = 0
    for full, public in files:
        for column in full.profile.columns:
            kind = column.aggregate.partition(":")[0]
            for row in full.profile.rows:
                cell = public.cell(row.key, column.key)
                if kind in ("min", "max"):
                    assert cell.state != OPEN
                elif kind == "mean" and cell.state == OPEN:
                    seen += 1
                    assert cell.value == round(cell.value, 2)
    assert seen


def test_the_same_figures_are_hidden_in_the_same_way_whenever_the_file_is_made(files, office):
    register = pipeline.read_register(office, Scope.system())
    for full, public in files[::7]:
        assert pipeline.public(office, register, full) == public
