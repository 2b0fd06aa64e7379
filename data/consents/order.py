"""Which decision holds, in frames: the same rule that :func:`data.consents.consent.newest_consents` has in
SQL.

The order is that in which decisions were recorded, never that of a clock. A no holds until a renewal, which
is an act of its own, is recorded after it; a plain yes never ends a no, whatever date it carries.
"""

from __future__ import annotations

import pandas as pd

from data.columns import YES

WHOSE = ["student_number", "purpose"]
IDENTITY = [*WHOSE, "decision", "decided_on", "source"]  # what makes a row of a file one that is on record


def as_recorded(events: pd.DataFrame) -> pd.DataFrame:
    """Decisions of one file in the order of recording: by date, and on one day the no last."""
    rank = events["decision"].map({"granted": 0, "renewed": 1, "refused": 2, "withdrawn": 3})
    order = pd.DataFrame({"day": events["decided_on"], "rank": rank}).sort_values(
        ["day", "rank"], kind="stable"
    )
    return events.loc[order.index]


def on_record(events: pd.DataFrame, known: pd.DataFrame) -> pd.Series:
    """Which decisions of a file are on record already; both frames have the columns :data:`IDENTITY`."""
    held = set(_identities(known))
    return pd.Series([one in held for one in _identities(events)], index=events.index, dtype=bool)


def holding(recorded: pd.DataFrame) -> pd.DataFrame:
    """The decision that holds, one row per student and purpose, of rows in the order of recording."""
    plain = (recorded["decision"] == "granted").to_numpy()
    ranked = recorded.assign(_plain=plain, _place=range(len(recorded)))
    ranked = ranked.sort_values(["_plain", "_place"], ascending=[True, False], kind="stable")
    return ranked.drop_duplicates(WHOSE).drop(columns=["_plain", "_place"])


def yes_beside_no(events: pd.DataFrame, known: pd.DataFrame) -> set[int]:
    """Rows of a file with a yes of the same day as a no that holds afterwards, or of a later day."""
    fresh = as_recorded(events[~on_record(events, known)])
    columns = [*IDENTITY]
    after = holding(pd.concat([known[columns], fresh[columns]], ignore_index=True))
    no = after[~after["decision"].isin(YES)]
    said = events[events["decision"].isin(YES)]
    both = said.merge(no[[*WHOSE, "decided_on"]], on=WHOSE, suffixes=("", "_no"))
    return set(both.loc[both["decided_on"] >= both["decided_on_no"], "row"])


def _identities(frame: pd.DataFrame):
    cells = frame[IDENTITY].astype(object).where(frame[IDENTITY].notna(), None)
    days = pd.to_datetime(frame["decided_on"]).astype("datetime64[us]")
    return zip(*(cells[name] for name in IDENTITY if name != "decided_on"), days, strict=True)
