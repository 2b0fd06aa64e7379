"""The parts of the model page that are sentences and tables."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from dashboard.charts import model as charts
from dashboard.components.chart_panel import chart_panel
from dashboard.components.layout import section
from dashboard.components.table import draw_table
from dashboard.models import facts as model_facts
from dashboard.models import watch as model_watch
from dashboard.models import worth
from dashboard.models.fitness_words import lacking, told, with_rule
from dashboard.models.view.watching import LOOKS
from dashboard.shell import caches, current_session, stores
from dashboard.shell.view.account_names import name_of
from dashboard.shell.wording import EMPTY, Words
from data.columns import TARGETS
from fusion.model.examined import FUSED, Evaluation
from fusion.model.manifest import Manifest
from fusion.service.sources import RegisteredModel
from fusion.validation.fitness import judged_on_few

VERDICT_COLORS = {"adds": "green"}  # any other is grey


def facts(served: RegisteredModel) -> None:
    """Version, when it was trained, on how many students, with which encoder."""
    words = current_session.words()
    manifest = served.manifest
    lines = {
        "version": served.version,
        "trained": current_session.day(served.created_at),
        "trained_on": _taught(manifest, words),
        "data_version": manifest.data_hash[:12] or EMPTY,
        "encoder": manifest.encoder_id or words("model.no_encoder"),
        "modality": words(f"model.serves_{_serves(manifest)}"),
    }
    grid = st.grid(3, min_column_width=200, gap="small", key="facts")
    for name, value in lines.items():
        grid.markdown(f":small[{words(f'model.{name}')}]  \n**{value}**")


def verdicts(manifest: Manifest, target: str) -> None:
    """What to make of the model, at most three sentences: which to use, whether its counts hold, and whether
    signatures add anything."""
    words, rule = current_session.words(), stores.rule_served(target)
    section(words("model.verdict_title"), words("model.verdict_help"))
    state = model_watch.trust(manifest)
    icon, color = LOOKS[state]
    use = (
        worth.choice_line(manifest, target, words)
        if rule is None
        else lacking(rule, words, current_session.zone_name(), name_of)
    )
    if rule is None and judged_on_few(manifest.arms(target).get(FUSED, Evaluation())):
        use = words("health.few_judged")
    lines = [
        f":material/arrow_forward: {use}",
        f":{color}[{icon} {words(f'model_watch.{state}')}]",
        f":material/balance: {_of_signatures(manifest, target)}",
    ]
    st.markdown("\n\n".join(lines))


def _of_signatures(manifest: Manifest, target: str) -> str:
    words, verdict = current_session.words(), model_facts.verdict(manifest, target)
    return words(f"model.verdict_{verdict}", what=model_facts.given_away(manifest, target, words))


def fitness(manifest: Manifest) -> None:
    """What the register could teach, target by target, and the kinds of exit that it lacks."""
    words = current_session.words()
    section(words("fitness.title"), words("fitness.help"))
    lines = [
        f"{':green[:material/check_circle:]' if good else ':orange[:material/warning:]'} {line}"
        for good, line in told(manifest, words)
    ]
    st.markdown("\n\n".join(lines) or words("model.not_examined"))


def not_yet(target: str) -> None:
    """Why the last training could not learn a target, where it found out."""
    words, (_, why) = current_session.words(), stores.unlearned(target)
    if why is not None:
        st.warning(with_rule(why, words, current_session.zone_name(), name_of), icon=":material/rule:")


def _taught(manifest: Manifest, words: Words) -> str:
    """How many students taught a model, and of how many they were drawn by lot."""
    taught = words.count("students", manifest.trained_on.students)
    of = manifest.trained_on.drawn_from
    return taught if of is None else words("model.drawn", taught=taught, of=words.number(of))


def _serves(manifest: Manifest) -> str:
    """What the model in service scores from: "records", "fused", or "few" while no target learned a
    signature."""
    if manifest.records_only:
        return "records"
    verdicts = {model_facts.verdict(manifest, target) for target in TARGETS}
    return "few" if "few" in verdicts and not verdicts - {"few", "unknown"} else "fused"


def signature_verdict(manifest: Manifest, target: str) -> None:
    """Whether signatures add anything, in a sentence, with the differences behind it."""
    words = current_session.words()
    section(words("model.ablation_title"), words("model.ablation_help"))
    color = VERDICT_COLORS.get(model_facts.verdict(manifest, target), "gray")
    st.badge(_of_signatures(manifest, target), icon=":material/balance:", color=color)
    found = model_facts.differences(manifest, target)
    ablation = model_facts.ablation(manifest, target)
    if ablation is not None and not found.empty:
        st.caption(
            words(
                "model.ablation_facts",
                students=words.count("students", ablation.students),
                p=words.number(ablation.p_value, 3),
            )
        )
        chart_panel(charts.differences(found, words), "ablation")
    st.caption(words("signature.honesty"))


def protocol(manifest: Manifest) -> None:
    """How the figures were made."""
    words = current_session.words()
    assessment = manifest.assessment
    if assessment is None:
        st.caption(words("model.verdict_unknown"))
        return
    st.caption(
        words(
            "model.protocol",
            train=words.count("students", assessment.train_students),
            test=words.count("students", assessment.test_students),
            day=words.day(assessment.simulated_date),
        )
    )


def measures(served: RegisteredModel, target: str, rows: tuple[str, ...]) -> pd.DataFrame:
    """Measures of the arms and the simple rules on later cohorts, each with its interval."""
    make = partial(model_facts.figures_table, served.manifest, target, rows, current_session.words())
    return caches.made_once("model-figures", (served.version, target, rows), make)


def figures(table: pd.DataFrame, title: str) -> None:
    """A table of measures with intervals, named by the heading above it."""
    draw_table(table, height="content", alt=title)


def further(part: str, manifest: Manifest, target: str) -> None:
    """Errors by group ("fairness") or calibration by cohort ("drift"), or that it was not examined."""
    words = current_session.words()
    section(words(f"model.{part}_title"), words(f"model.{part}_help"))
    make = {"fairness": model_facts.fairness_table, "drift": model_facts.by_cohort}[part]
    table = make(manifest, target, words)
    if table.empty:
        st.caption(words("model.not_examined"))
    else:
        draw_table(table, height="content", alt=words(f"model.{part}_title"))


def limits() -> None:
    """What the model cannot do."""
    words = current_session.words()
    section(words("model.limits_title"))
    keys = ["limit_1", "limit_2", "limit_3"] + (["limit_4"] if stores.is_synthetic() else [])
    st.markdown("\n".join(f"- {words(f'model.{key}')}" for key in keys))


def export_frame(*tables: pd.DataFrame) -> pd.DataFrame:
    """The tables of measures below one another."""
    return pd.concat(tables, ignore_index=True)
