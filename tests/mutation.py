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
- *features*: what stands for the term of nobody (``or [0]``), and planned credits of 0 or fewer, as only
  the first day has them and no credits are known then.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

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
    "suppress": ("dashboard/reports/suppress.py", "tests/dashboard/reports/test_suppression.py"),
}
ANNOTATIONS = ["core/ReplaceBinaryOperator_BitOr_.*"]  # ``str | None`` says nothing at run time
TIMEOUT = 300  # seconds for the tests of one change


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
        command = f"{sys.executable} -m pytest -x -q -p no:cacheprovider {tests}"
        config.write_text(
            f'[cosmic-ray]\nmodule-path = "{module}"\ntimeout = {TIMEOUT}\nexcluded-modules = []\n'
            f'test-command = "{command}"\n[cosmic-ray.distributor]\nname = "local"\n'
            f"[cosmic-ray.filters.operators-filter]\nexclude-operators = {json.dumps(ANNOTATIONS)}\n"
        )
        bin_folder = Path(sys.executable).parent
        for step in (
            ["cosmic-ray", "baseline", str(config)],
            ["cosmic-ray", "init", str(config), str(session)],
            ["cr-filter-operators", str(session), str(config)],
            ["cosmic-ray", "exec", str(config), str(session)],
        ):
            subprocess.run([bin_folder / step[0], *step[1:]], cwd=copy, check=True)
        dump = subprocess.run(
            [bin_folder / "cosmic-ray", "dump", str(session)], capture_output=True, text=True, check=True
        )
    return report(name, [json.loads(line) for line in dump.stdout.splitlines()])


def report(name: str, jobs: list) -> int:
    """Print a line per surviving change, and the sum."""
    done = [(item, result) for item, result in jobs if result and result["worker_outcome"] == "normal"]
    survived = [(item, result) for item, result in done if result["test_outcome"] == "survived"]
    for item, result in survived:
        place = item["mutations"][0]
        print(f"{name}: line {place['start_pos'][0]}: {place['operator_name']}")
        print("\n".join(line for line in result["diff"].splitlines() if line[:1] in "+-"))
    print(f"{name}: {len(done)} changes, {len(survived)} survived")
    return len(survived)


if __name__ == "__main__":
    sys.exit(main())
