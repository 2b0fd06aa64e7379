"""What a process keeps for all its sessions: the store, its state, the model in service, the encoder.

Nothing here knows who is asking. Torch hooks change a shared encoder, so the encoder carries a lock.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import contextmanager
from threading import Lock, local
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import streamlit as st

from dashboard.shell.garbage import settle
from data import queries
from data.settings import get_settings
from data.store import Store, get_fact, open_store
from data.trust import origin

if TYPE_CHECKING:
    from fusion.service.sources import RegisteredModel

logger = logging.getLogger(__name__)
_RUN = local()


class SharedEncoder(NamedTuple):
    """An encoder and the lock to hold while hooks are on it."""

    encoder: Any
    lock: Lock


@st.cache_resource(show_spinner=False)
def store() -> Store:
    """The store named by the settings, opened once per process."""
    return open_store()


@contextmanager
def one_run():
    """Within it the store is asked once what state it is in: a page is drawn of one state of the data."""
    _RUN.answers = {}
    try:
        yield
    finally:
        del _RUN.answers


def _once(question: str, ask: Callable):
    """The answer to a question about the state of the store, asked once per run of a page."""
    answers = getattr(_RUN, "answers", None)
    if answers is None:
        return ask()
    if question not in answers:
        answers[question] = ask()
    return answers[question]


def data_version() -> str:
    """Changes whenever an import or a scoring has written something."""
    return _state().version


def state_mark() -> str:
    """Changes whenever anything that pages and files tell of everybody has changed: data, model, settings."""
    return f"{_state().version} {_state().described}"


def is_synthetic() -> bool:
    """Whether everybody in the store was invented."""
    return _state().origin == origin.INVENTED


def is_mixed() -> bool:
    """Whether imported records stand beside invented people (demos of earlier versions allowed that)."""
    return _state().origin == origin.MIXED


def time_zone() -> str:
    """IANA name of the institution's clock, as the settings say it; empty where they do not."""
    return _state().time_zone


def is_empty() -> bool:
    """Whether the store holds no student yet."""
    return _state().empty


def _state() -> queries.StoreState:
    return _once("state", lambda: queries.store_state(store()))


def served_model() -> RegisteredModel | None:
    """The model whose scores the pages show; None when there is none."""
    from fusion.service.sources import served_model as read

    return _once("served model", lambda: read(store()))


def served_version() -> str | None:
    """Name of the served model; None when there is none."""
    return _state().model


def model():
    """The loaded :class:`fusion.model.risk_model.RiskModel` in service; None when there is none."""
    version = served_version()
    return None if version is None else _model(version)


def model_unreadable() -> bool:
    """Whether the files of the model in service are damaged or gone: what was scored is still shown then, but
    nothing that the model itself has to tell. Asked anew in each run: files may be put back from a backup."""
    return _once("unreadable", _unreadable)


def _unreadable() -> bool:
    from fusion.model.model_files import ModelFileError

    try:
        model()
    except (ModelFileError, OSError, ValueError) as problem:
        logger.warning("the served model was not loaded: %s", problem)
        return True
    return False


@st.cache_resource(max_entries=2, show_spinner=False)
def _model(version: str):
    from fusion.pipeline import load_model

    loaded = load_model(store(), version)
    settle()
    return loaded


def unlearned(target: str) -> tuple[bool, Any]:
    """Whether no risk of ``target`` may be shown, and why (:class:`fusion.validation.fitness.Fitness`, or
    :class:`fusion.service.rule.Ruled` where the rule is served in place of the model).

    Without a model in service there is no risk either; the last training may have said why (else None).
    """
    from fusion.validation.fitness import FACT, verdict

    if (by_rule := rule_served(target)) is not None:
        return True, by_rule
    served = served_model()
    fact = None if served is not None else _once("fitness", lambda: get_fact(store(), FACT))
    fitness = verdict(None if served is None else served.manifest, fact, target)
    if served is None:
        return True, None if fitness is None or fitness.fit else fitness
    return fitness is not None and not fitness.fit, fitness


def rule_served(target: str):
    """The decision to serve the rule for a target (:class:`fusion.service.rule.Ruled`), else None."""
    from fusion.service.rule import ruled

    return _once("ruled", lambda: ruled(store())).get(target)


def footing(target: str):
    """How scores of ``target`` may be told (:class:`fusion.validation.footing.Footing`)."""
    from fusion.validation.footing import Footing
    from fusion.validation.footing import footing as of

    served = served_model()
    return Footing() if served is None else of(served.manifest, target)


def counts_hold(target: str) -> bool:
    """Whether risks of ``target`` may be shown as counts and added up."""
    return not unlearned(target)[0] and not footing(target).ranks


def encoder() -> SharedEncoder:
    """The encoder of the settings with its lock."""
    return _encoder(get_settings().encoder)


@st.cache_resource(max_entries=1, show_spinner=False)
def _encoder(name: str) -> SharedEncoder:
    from vision.encoder.backbones import load_encoder

    shared = SharedEncoder(load_encoder(name or None), Lock())
    settle()
    return shared


def programs() -> dict[str, str]:
    """Programme code → name, in the order of the codes."""
    frame = program_table()
    return dict(zip(frame["program_code"], frame["name"], strict=True))


def program_table() -> pd.DataFrame:
    """Every programme (:func:`data.queries.programs`)."""
    return _programs(store().url, data_version()).copy(deep=False)


@st.cache_resource(ttl=3600, max_entries=4, show_spinner=False)
def _programs(url: str, version: str) -> pd.DataFrame:
    return queries.programs(store())
