"""The overview's card on why: what raises the risk of those at risk most often, and where it differs."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.charts.base import Chart
from dashboard.charts.trends import rates
from dashboard.cohorts import reasons, summaries
from dashboard.cohorts.view.given import Given
from dashboard.components.chart_panel import chart_panel, prepare
from dashboard.components.layout import card, section
from dashboard.shell import caches, current_session, stores
from dashboard.shell.plain import plain
from dashboard.shell.wording import Words
from data import queries

SHOWN = 6  # reasons in the chart
NONE = pd.DataFrame(columns=["program_code", "reason", "students"])


def reasons_card(given: Given) -> None:
    """The commonest reasons of the programme chosen, of all its cohorts; over all also the first of each."""
    words, common = current_session.words(), commonest(given)
    with card("why"):
        if common.empty:
            section(words("why.title"), words("why.help"))
            st.caption(_why_none(given, words))
            return
        if common["rate"].notna().any():
            chart_panel(**_panel(given), title=words("why.title"), help=words("why.help"))
        else:
            section(words("why.title"), words("why.help"))
        for line in _lines(given):
            st.markdown(line)
        st.caption(words("why.note", n=reasons.FEWEST))


def _lines(given: Given) -> list[str]:
    """What stands under the chart: reasons that nearly all have, over all programmes the first of each."""

    def make() -> list[str]:
        words, common, lines = current_session.words(), commonest(given), []
        nearly = [reason_words(one, words) for one in common.loc[common["rate"].isna(), "reason"]]
        if nearly:
            lines.append(words("why.nearly_all", reasons=", ".join(nearly), n=int(common["n"].iloc[0])))
        if given.chosen.program_code is None:
            rows = by_program(given).groupby("program_code", sort=False)
            lines.append("\n".join(f"- {_of_program(code, part, words)}" for code, part in rows))
        return lines

    return caches.made_once("why-lines", _about(given), make)


def nothing_drawn() -> str:
    """Key of the sentence that says why no risk is counted: there is no model yet, or none may speak."""
    return "bands_none" if stores.served_version() else "bands_no_model"


def _why_none(given: Given, words: Words) -> str:
    """Why no reason is told: no model may speak (one may speak of the order all the same), its files cannot
    be read, or too few students."""
    if given.silent:
        return words(f"overview.{nothing_drawn()}")
    return words("why.unreadable") if stores.model_unreadable() else words("why.few", n=reasons.FEWEST)


def commonest(given: Given) -> pd.DataFrame:
    """The commonest reasons of whoever is chosen (:func:`dashboard.cohorts.reasons.commonest`); none while
    the files of the model in service cannot be read."""
    if given.silent or stores.model_unreadable():
        return reasons.commonest(NONE)
    make = partial(_narrowed, given)
    return caches.made_once("why-common", _about(given), lambda: reasons.commonest(make()).head(SHOWN))


def prepare_reasons(given: Given) -> None:
    """Work out what the card shows first."""
    common = commonest(given)
    if common["rate"].notna().any():
        prepare(**_panel(given))
    if not common.empty:
        _lines(given)


def reason_words(reason: str, words: Words) -> str:
    """A fact in the reader's language."""
    key = f"why.fact_{reason.replace(' ', '_')}"
    return words(key) if words.has(key) else words.named("feature", reason)


def _about(given: Given) -> tuple:
    """What the card depends on: it is of all cohorts, whichever is chosen."""
    return (given.chosen.target, given.chosen.program_code, stores.served_version())


def _narrowed(given: Given) -> pd.DataFrame:
    target, version = given.chosen.target, stores.served_version()
    whole = caches.made_once("why", (target, version), partial(_counted, target))
    return summaries.chosen(whole, given.chosen.program_code, None)


def _counted(target: str) -> pd.DataFrame:
    tell = partial(reasons.main_reasons, stores.model())
    return queries.reasons_of_risk(stores.store(), current_session.scope(), target, tell)


def by_program(given: Given) -> pd.DataFrame:
    """The two commonest reasons of every programme (:func:`dashboard.cohorts.reasons.by_program`)."""
    if given.silent or stores.model_unreadable():
        return reasons.by_program(NONE)
    return caches.made_once("why-programs", _about(given), lambda: reasons.by_program(_narrowed(given)))


def _panel(given: Given) -> dict:
    def draw() -> Chart:
        words = current_session.words()
        rows = commonest(given).dropna(subset=["rate"])
        named = rows.assign(reason=[reason_words(reason, words) for reason in rows["reason"]])
        return rates(named, "reason", words)

    return {"chart": draw, "key": "why", "about": _about(given)}


def _of_program(code: str, rows: pd.DataFrame, words: Words) -> str:
    told = []
    for row in rows.to_dict("records"):
        share = words("why.nearly") if pd.isna(row["rate"]) else words.percent(row["rate"])
        told.append(f"{reason_words(row['reason'], words)} ({share})")
    name, n = plain(stores.programs().get(code, code)), words.count("students", int(rows["n"].iloc[0]))
    return words("why.of_program", program=f"**{name}**", students=n, reasons=", ".join(told))
