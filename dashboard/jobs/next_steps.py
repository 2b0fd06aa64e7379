"""What a store still needs before it shows a risk: import, read, train, score. No Streamlit here."""

from __future__ import annotations

from data import queries
from data.store import Store
from data.trust.scope import Scope

PURPOSE = "outcome_model"  # a specimen is read for nothing else
STEPS = ("import", "embed", "train", "score")  # in this order


def open_steps(store: Store) -> list[str]:
    """The steps of :data:`STEPS` that are still to be done, the next one first.

    Signatures wait that nobody has checked, or that no encoder has read though their students agreed to the
    outcome model; a first model is missing; or an import came after the newest scores.
    """
    scope = Scope.system()
    if not queries.kpi_counts(store, scope)["students"]:
        return ["import"]
    waiting = ["embed"] if queries.any_specimen_waits(store, PURPOSE) else []
    if queries.served_model(store) is None:
        return [*waiting, "train"]
    return [*waiting, "score"] if _unscored(store, scope) else waiting


def _unscored(store: Store, scope: Scope) -> bool:
    scored, imports = queries.last_scored(store, scope), queries.imports(store)
    written = imports.loc[imports["undone_at"].isna(), "finished_at"].max()
    return scored is None or (written is not None and written == written and written > scored)
