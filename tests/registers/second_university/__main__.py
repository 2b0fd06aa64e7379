"""``python -m tests.registers.second_university FOLDER``: write the office's files and print the truth."""

from __future__ import annotations

import sys
from pathlib import Path

from . import truth, write
from .truth import DROPOUT, LATE, NEITHER, ON_TIME, UNDECIDED

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("which folder? python -m tests.registers.second_university FOLDER")
    write(Path(sys.argv[1]))
    right = truth()
    for (code, cohort), counts in right.counts.items():
        print(code, cohort, *(f"{k} {counts[k]}" for k in (ON_TIME, LATE, DROPOUT, UNDECIDED, NEITHER)))
    print("past their normal time", len(right.past_normal_time), "on leave", len(right.on_leave))
    print("consents that stand", {purpose: len(who) for purpose, who in right.consenting.items()})
