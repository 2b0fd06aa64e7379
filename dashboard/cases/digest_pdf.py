"""The digest of an advisor's week as a PDF for their own desk."""

from __future__ import annotations

import pandas as pd

from dashboard.cases.digest import Digest
from dashboard.cases.followups import said, who
from dashboard.cases.standing import level_name
from dashboard.reports import documents
from dashboard.reports.provenance import Provenance
from dashboard.reports.words import say
from dashboard.shell.wording import Words

PARTS = ("new", "worse", "waiting")


def digest_pdf(digest: Digest, provenance: Provenance, words: Words, advisor: str) -> bytes:
    """The digest as a tagged PDF.

    Parameters
    ----------
    digest : Digest
    provenance : Provenance
        Says whether the data are synthetic.
    words : Words
        The reader's language.
    advisor : str
        Whose week it is, as printed.
    """
    blocks = [documents.facts([(words("role.advisor"), advisor)]), documents.text(lead(digest, words))]
    for part in PARTS:
        rows = getattr(digest, part)
        if len(rows):
            blocks += [documents.heading(words(f"digest.{part}")), documents.items(lines(rows, words))]
    if len(digest.off_track):
        blocks += [documents.heading(words("on_track.title"))]
        blocks += [documents.items(rule_lines(digest.off_track, words))]
    if len(digest.due):
        blocks += [documents.heading(words("digest.due")), _due(digest.due, words)]
    if digest.empty:
        blocks.append(documents.note(words("digest.nothing")))
    blocks += [documents.text(acted_line(digest, words)), documents.note(words("digest.acted_note"))]
    footer = say(words.language, "confidential_people")
    return documents.document(words("digest.title"), blocks, provenance, words.language, footer=footer)


def lead(digest: Digest, words: Words) -> str:
    """Which days it covers and what it holds."""
    parts = [words("digest.lead", first=words.day(digest.first), last=words.day(digest.last))]
    if digest.first_scoring:
        parts.append(words("digest.first_scoring"))
    if digest.footing.ranks:
        parts.append(words(f"place.why_{digest.footing.why}"))
    if digest.by_rule:
        parts.append(words("rule.digest"))
    return " ".join(parts)


def rule_lines(rows: pd.DataFrame, words: Words) -> list[str]:
    """One line per student by the credits-and-GPA rule."""
    return [f"{who(row)}: {level_name(int(row['level']), words)}" for row in rows.to_dict("records")]


def lines(rows: pd.DataFrame, words: Words) -> list[str]:
    """One line per student: who, and how the risk moved."""
    told = []
    for row in rows.to_dict("records"):
        if "place" in row:
            told.append(f"{who(row)}: {_place(row, words)}")
            continue
        key, values = "digest.line_first", {"after": words.of_100(row["risk"])}
        if not pd.isna(row["previous_risk"]):
            key, values["before"] = "digest.line", words.of_100(row["previous_risk"])
        band = words(f"band.{row['band']}").lower()
        told.append(f"{who(row)}: {words(key, **values)}, {band}")
    return told


def _place(row: dict, words: Words) -> str:
    if pd.isna(row["place"]):
        return words("place.few")
    text = words("place.line", place=int(row["place"]), of=int(row["of"]))
    if pd.isna(row["previous_place"]):
        return text
    return f"{text} ({words('place.before', place=int(row['previous_place']))})"


def acted_line(digest: Digest, words: Words) -> str:
    """How many of those whose score moved up have a step since."""
    if not digest.changed:
        return words("digest.acted_none")
    return words("digest.acted", n=digest.acted, of=digest.changed)


def _due(due: pd.DataFrame, words: Words) -> dict:
    head = [words(f"column.{name}") for name in ("due", "student", "kind", "detail")]
    rows = [
        [words.day(row["due_on"]), who(row), words.named("event", row["kind"]), said(row["detail"])]
        for row in due.to_dict("records")
    ]
    return documents.table(head, rows, right=[False] * 4, widths=[1.2, 2.2, 1.2, 3], size=9)
