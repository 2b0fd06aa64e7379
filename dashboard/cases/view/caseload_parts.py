"""What a caseload says around and inside its table."""

from __future__ import annotations

from functools import partial

import pandas as pd

from dashboard.cases import caseload
from dashboard.components.filters import CaseFilter
from dashboard.shell import caches, current_session, stores
from dashboard.students.reasons import in_brief
from dashboard.students.telling import by_place
from data import queries


def cutoff_line(ranked: pd.DataFrame, listed: pd.DataFrame, k: int) -> str:
    """Where the list ends, what ten more would add, and how many are new or worse.

    Parameters
    ----------
    ranked : DataFrame
        The k + 10 of highest risk.
    listed : DataFrame
        Those shown, with ``moved``.
    k : int
        Length of the list.
    """
    words = current_session.words()
    last, high, low = caseload.cutoff(ranked, k)
    if "place" in listed:
        parts = [words("place.lead")]
    else:
        parts = [words("caseload.cutoff", cutoff=words.of_100(last))]
        parts.append(
            words("caseload.next_none")
            if high is None
            else words("caseload.next_ten", high=words.of_100(high), low=words.of_100(low))
        )
    moved = int(listed["moved"].isin(("new", "worse")).sum())
    if moved:
        parts.append(words("caseload.moved", n=moved))
    return " ".join(parts)


def worth_a_talk(chosen: CaseFilter) -> pd.DataFrame:
    """The k + 10 of highest risk that match, without those who are quiet where these are to be left out."""
    store, scope = stores.store(), current_session.scope()
    quiet = queries.quiet_students(store, scope, current_session.today()) if chosen.hide_quiet else []
    in_order = stores.footing(chosen.target).ranks
    ranked = queries.caseload(
        store,
        scope,
        chosen.target,
        chosen.k + 10 + len(quiet),
        program_code=chosen.program_code,
        cohort_term=chosen.cohort_term,
        band=None if in_order else chosen.band,
        search=chosen.search,
    )
    ranked = ranked[~ranked["student_key"].isin(quiet)].head(chosen.k + 10).reset_index(drop=True)
    if not in_order:
        return ranked
    places = queries.places(store, scope, chosen.target, ranked["student_key"].tolist())
    return by_place(ranked, places)


def _last_steps(keys: pd.Series) -> list[str]:
    """Each student's last step in words; empty where nothing was logged."""
    words = current_session.words()
    events = queries.last_events(stores.store(), current_session.scope())
    told = {
        row.student_key: f"{words.named('event', row.kind)} · {current_session.day(row.at)}"
        for row in events[events["student_key"].isin(keys)].itertuples(index=False)
    }
    return [told.get(key, "") for key in keys]


def enriched(listed: pd.DataFrame, target: str) -> pd.DataFrame:
    """The rows with each student's line of risks, the two strongest reasons that raise it, the last step."""
    scores = listed["score_id"].tolist()
    rows = list(zip(listed["student_key"].tolist(), scores, strict=True))
    reasons = {}
    if not stores.model_unreadable():
        reasons = caches.each_once("caseload-reasons", (target,), scores, partial(_reasons, target))
    told = listed
    if "place" not in listed:
        lines = caches.each_once("caseload-lines", (target,), rows, partial(_lines, target))
        told = listed.assign(history=[lines.get(row, []) for row in rows])
    return told.assign(
        reasons=[reasons.get(score_id, "") for score_id in scores],
        last=_last_steps(listed["student_key"]),
    )


def _lines(target: str, rows: list[tuple[str, int]]) -> dict[tuple[str, int], list[float]]:
    """Student and newest score → the student's risks in order of time."""
    keys = [student for student, _ in rows]
    lines = queries.risk_lines(stores.store(), current_session.scope(), target, keys)
    risks = lines.groupby("student_key")["risk"].agg(list).to_dict()
    return {row: risks[row[0]] for row in rows if row[0] in risks}


def _reasons(target: str, score_ids: list[int]) -> dict[int, str]:
    """What raises each score most, in brief."""
    from fusion.explanation.explain import explain_score

    model, programs, words = stores.model(), stores.programs(), current_session.words()
    why = queries.explanations(stores.store(), current_session.scope(), score_ids)
    return {
        row.score_id: in_brief(
            explain_score(model, target, row.phi, row.inputs, row.base_value, row.modality), programs, words
        )
        for row in why.itertuples(index=False)
    }
