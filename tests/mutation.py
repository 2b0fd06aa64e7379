"""Mutation testing: does some test fail when a line that guards people's data is changed?

``python tests/mutation.py [NAME …]`` changes the modules below, one place at a time, in a copy of the working
tree, runs the tests named beside each, and lists the changes that no test noticed. It takes minutes to hours,
so it is a target of the Makefile and no part of the tests.

Some changes survive because they change nothing that can be seen:

- ``frozen=False``, ``lru_cache`` with another size or none, ``TYPE_CHECKING``, ``*`` → ``/``: no result
  differs;
- *labels*: ``observed <= limit`` puts the limit where the limit stands, and so does ``known_from`` at
  its bound; ``-`` of a true/false column is ``~``;
- *small_cells*: ``high - low`` against ``threshold - 1 - 1e-6`` at equality (widths are whole numbers);
  a sum's coefficient of 0 (sums hold none); ``_bounds_within_one_sum`` left out (the linear programme
  says the same) or given the last of one sum; a factor multiplied where it divides (only its sign is
  read); ``address[1] != part`` where a group has two parts (each column is then the other's);
- *verify*: where the count of a writer's turns begins and how far it steps (only their order is used);
  the names of the two classes; ``[-1]`` of one element;
- *suppress*: words compared by identity or order (``is``, ``<=``, ``>=``) where each is one of a few;
  figures of a table to come that may be hidden (they are not told); means counted twice alike;
- *joint_counts*: what only steers the search for another truth (prices, reach, how a found change is put
  together): the last search, among whole numbers, finds what the earlier ones miss;
- *features*: what stands for the term of nobody (``or [0]``), and planned credits of 0 or fewer, as only
  the first day has them and no credits are known then.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import pytest
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db

ROOT = Path(__file__).resolve().parents[1]
MODULES = {
    "scoping": (
        "data/trust/scoping.py",
        "tests/data/records/test_queries.py tests/dashboard/jobs/test_reach.py",
    ),
    "labels": (
        "data/calendar/labels.py",
        "tests/data/calendar/test_labels.py tests/data/calendar/test_study_time.py",
    ),
    "features": ("fusion/features/build.py", "tests/fusion/features/test_features.py"),
    "verify": ("vision/verification/verify.py", "tests/vision/verification/test_verify.py"),
    "access": ("dashboard/shell/access.py", "tests/dashboard/shell/test_access.py"),
    "small_cells": ("data/trust/small_cells.py", "tests/data/trust/test_small_cells.py"),
    "joint_counts": ("data/trust/joint_counts.py", "tests/data/trust/test_joint_counts.py"),
    "suppress": (
        "dashboard/reports/suppress.py",
        "tests/dashboard/reports/test_what_is_hidden.py tests/dashboard/reports/test_suppression.py",
    ),
}
ANNOTATIONS = ["core/ReplaceBinaryOperator_BitOr_.*"]  # ``str | None`` says nothing at run time
TIMEOUT = 120  # seconds for the tests of one change


def main() -> int:
    """Mutate the modules asked for; 1 when a change survived."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="modules; all by default")
    survivors = 0
    for name in parser.parse_args().names or MODULES:
        survivors += mutate(name)
    return 1 if survivors else 0


def mutate(name: str) -> int:
    """Change one module in every way, run its tests for each, print what survived; how many did."""
    module, tests = MODULES[name]
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        copy = Path(folder) / "tree"
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
        for path in listed.stdout.split("\n"):
            if path and (ROOT / path).is_file():
                (copy / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / path, copy / path)
        config, session = Path(folder) / "config.toml", Path(folder) / "session.sqlite"
        loaded = Path(folder) / "loaded"
        tried = ["-x", "-q", "-p", "no:cacheprovider", *tests.split()]
        config.write_text(
            f'[cosmic-ray]\nmodule-path = "{module}"\ntimeout = {TIMEOUT}\nexcluded-modules = []\n'
            'test-command = "-"\n[cosmic-ray.distributor]\nname = "local"\n'
            f"[cosmic-ray.filters.operators-filter]\nexclude-operators = {json.dumps(ANNOTATIONS)}\n"
        )
        bin_folder = Path(sys.executable).parent
        for step in (
            ["cosmic-ray", "init", str(config), str(session)],
            ["cr-filter-operators", str(session), str(config)],
        ):
            subprocess.run([bin_folder / step[0], *step[1:]], cwd=copy, check=True)
        if not passes(copy, tried, loaded):
            raise SystemExit(f"{name}: the tests fail before anything is changed")
        for library in loaded.read_text(encoding="utf-8").split():  # once for all: longer than most tests
            with contextlib.suppress(Exception):
                import_module(library)
        with use_db(str(session), WorkDB.Mode.open) as database:
            filtered = {job for job, _ in database.results}
            todo = [item for item in database.work_items if item.job_id not in filtered]
        survived = [
            item for at, item in enumerate(todo, 1) if outlives(name, copy, item, tried, at, len(todo))
        ]
    print(f"{name}: {len(todo)} changes, {len(survived)} survived", flush=True)
    return len(survived)


def outlives(name: str, copy: Path, item, tried: list[str], at: int, of: int) -> bool:
    """Whether no test notices a change; if none does it is printed at once, a long run may be cut short."""
    lines, place = changed(copy, item, tried), item.mutations[0]
    if lines is not None:
        print(f"{name}: line {place.start_pos[0]}: {place.operator_name}\n{lines}", flush=True)
    if at % 50 == 0:
        print(f"{name}: {at} of {of} changes tried", file=sys.stderr, flush=True)
    return lines is not None


def changed(copy: Path, item, tried: list[str]) -> str | None:
    """The change as lines of a difference where the tests pass all the same, else None."""
    mutation, path = item.mutations[0], copy / item.mutations[0].module_path
    before = path.read_text(encoding="utf-8")
    operator = get_operator(mutation.operator_name)(**dict(mutation.operator_args))
    after = mutate_code(before, operator, mutation.occurrence)
    if after is None:
        return None
    path.write_text(after, encoding="utf-8")
    try:
        if not passes(copy, tried):
            return None
    finally:
        path.write_text(before, encoding="utf-8")
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---"))


def passes(copy: Path, tried: list[str], loaded: Path | None = None) -> bool:
    """Whether the tests pass in a tree, in a child of this process; into ``loaded`` go the names of the
    modules of others that they imported."""
    child = os.fork()
    if child == 0:
        os.setsid()
        quiet = os.open(os.devnull, os.O_RDWR)
        for descriptor in range(3):
            os.dup2(quiet, descriptor)
        os.chdir(copy)
        sys.path[:] = [str(copy), *(entry for entry in sys.path if Path(entry or ".").resolve() != ROOT)]
        sys.dont_write_bytecode = True
        outcome = int(pytest.main(tried))
        if loaded is not None:
            ours = (str(copy), "__main__")
            told = [
                name for name, module in sys.modules.items() if not any(one in str(module) for one in ours)
            ]
            loaded.write_text("\n".join(told), encoding="utf-8")
        os._exit(outcome)
    until = time.monotonic() + TIMEOUT
    while time.monotonic() < until:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


if __name__ == "__main__":
    sys.exit(main())
