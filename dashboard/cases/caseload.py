"""The order and the wording of a caseload. Pure functions of frames."""

from __future__ import annotations

from collections import Counter

import pandas as pd

from dashboard.shell.wording import Words

WORSE_BY = 0.05
LISTED = ("high", "very_high")


def movement(frame: pd.DataFrame, newest: int | None = None) -> pd.Series:
    """How each student's score moved since the term before.

    Parameters
    ----------
    frame : DataFrame
        ``risk``, ``previous_risk`` (may be missing), ``band``, ``previous_band``; with ``newest`` also
        ``as_of_term``. Where it has ``standing`` and ``previous_standing``
        (:func:`dashboard.students.telling.by_place`), movement is told by these.
    newest : int, optional
        The last completed term (``queries.newest_term``): what moved up to an earlier term is no news.

    Returns
    -------
    Series of str
        "older" for a score as of an earlier term than ``newest``; "first" without an earlier score; "new"
        when the student entered the bands high or very high;
        "worse" or "better" when the risk moved by 5 points or more; else "same".
    """
    now, before = ("standing", "previous_standing") if "standing" in frame else ("risk", "previous_risk")
    change = frame[now] - frame[before]
    entered = frame["band"].isin(LISTED) & ~frame["previous_band"].isin(LISTED)
    moves = pd.Series("same", index=frame.index)
    moves[change <= -WORSE_BY] = "better"
    moves[change >= WORSE_BY] = "worse"
    moves[entered] = "new"
    moves[frame[before].isna()] = "first"
    if newest is not None:
        moves[frame["as_of_term"] < newest] = "older"
    return moves


def ordered(frame: pd.DataFrame, newest: int | None = None) -> pd.DataFrame:
    """New and worsened students first, each part by falling risk; adds ``moved``."""
    rows = frame.assign(moved=movement(frame, newest))
    front = ~rows["moved"].isin(("new", "worse"))
    return (
        rows.assign(_front=front)
        .sort_values(["_front", "risk"], ascending=[True, False], kind="stable", ignore_index=True)
        .drop(columns="_front")
    )


def cutoff(frame: pd.DataFrame, k: int) -> tuple[float | None, float | None, float | None]:
    """The risk at which a list of ``k`` ends, and the highest and lowest risk of the next ten.

    Parameters
    ----------
    frame : DataFrame
        The k + 10 students of highest risk, by falling ``risk``.
    """
    risks = frame["risk"].tolist()
    following = risks[k : k + 10]
    last = risks[: min(k, len(risks))]
    return (
        last[-1] if last else None,
        following[0] if following else None,
        following[-1] if following else None,
    )


def as_table(frame: pd.DataFrame, programs: dict[str, str], words: Words) -> pd.DataFrame:
    """The rows as shown and exported.

    Parameters
    ----------
    frame : DataFrame
        From ``queries.caseload``, ordered; optionally with ``history`` (lists of risks), ``reasons`` and
        ``last`` (the last step in words).
    programs : dict of str to str
        Programme code → name.
    words : Words
        The reader's language.
    """
    shown = pd.DataFrame({"student_key": frame["student_key"]})
    shown["moved"] = [_moved(row, words) for row in frame.to_dict("records")]
    shown["student"] = _told_apart([_who(row) for row in frame.to_dict("records")], frame)
    if "student_number" in frame:
        shown["student_number"] = frame["student_number"].tolist()
    if "place" in frame:
        shown["band"] = [[words(f"place.{band}")] if band else [] for band in frame["band"]]
        shown["place"] = [_place(row, words) for row in frame.to_dict("records")]
    else:
        shown["band"] = [[words(f"band.{band}")] for band in frame["band"]]
        shown["risk"] = (100 * frame["risk"]).round().clip(1, 99).astype(int)
        change = (100 * (frame["risk"] - frame["previous_risk"])).round()
        shown["change"] = change.where((change != 0) & (frame["moved"] != "older"))
    for name in ("history", "reasons", "last"):
        if name in frame:
            shown[name] = frame[name].tolist()
    shown["program"] = [programs.get(code, code) for code in frame["program_code"]]
    shown["cohort"] = [words.term(term) for term in frame["cohort_term"]]
    return shown


_SIGNS = {"new": "▲ ", "worse": "▲ ", "better": "▼ ", "same": "", "first": ""}


def _moved(row: dict, words: Words) -> str:
    if row["moved"] == "older":
        return words("standing.older_score", term=words.term(row["as_of_term"]))
    return _SIGNS[row["moved"]] + words(f"caseload.{row['moved']}")


def _place(row: dict, words: Words) -> str:
    if pd.isna(row["place"]):
        return words.number(None)
    return words("place.of", place=int(row["place"]), of=int(row["of"]))


def _who(row: dict) -> str:
    """Name, else number, else the beginning of the key."""
    known = [row.get("name"), row.get("student_number"), row["student_key"][:8]]
    return next(part for part in known if isinstance(part, str) and part)


def _told_apart(names: list[str], frame: pd.DataFrame) -> list[str]:
    """Names, with the number (or the beginning of the key) beside each that the list holds more than once."""
    twice = {name for name, count in Counter(names).items() if count > 1}
    if not twice:
        return names
    numbers = frame["student_number"] if "student_number" in frame else frame["student_key"].str[:8]
    return [
        f"{name} · {number}" if name in twice and name != number else name
        for name, number in zip(names, numbers, strict=True)
    ]


def for_export(table: pd.DataFrame, words: Words) -> pd.DataFrame:
    """The table with headings in the reader's language and no lists in its cells."""
    flat = table.drop(columns=[name for name in ("history", "student_key") if name in table])
    flat["band"] = flat["band"].str[0]  # null where there is no place
    headings = {name: words(f"column.{name}") for name in flat.columns if name not in ("moved", "risk")}
    return flat.rename(
        columns={"moved": words("column.change_kind"), "risk": words("column.risk_of_100"), **headings}
    )
