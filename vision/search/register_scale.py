"""The hands of a register: whose described specimens are compared, and on which common scale."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from data.engine.database import Store
from data.verification import queries as reads
from vision.descriptor.common_scale import DescriptorSpace
from vision.verification.reference_choice import SPOILING
from vision.verification.verification_tools import Tools

OWN_SCALE, MOST_SCALING, EACH_SCALING = 20, 400, 3
"""Students from whom on a register has a scale of its own; at most so many students, and so many signatures
of each, it is taken from."""


def filed_hands(store: Store, tools: Tools, keys: Collection[str] | None = None) -> pd.Series:
    """Described specimens of each consenting student, lists of ids by key; a copy is the hand's work too.

    Parameters
    ----------
    keys : collection of str, optional
        Only of these students.
    """
    known = reads.described(store, tools.descriptor_id, SPOILING[:-1])
    if keys is not None:
        known = known[known["student_key"].isin(keys)]
    return known.groupby("student_key", sort=True)["specimen_id"].agg(list)


def evenly(count: int, most: int) -> np.ndarray:
    """At most so many places among ``count``, evenly over all of them."""
    return np.linspace(0, count - 1, min(count, most)).astype(int)


def register_scale(store: Store, tools: Tools, groups: pd.Series) -> DescriptorSpace:
    """The scale of the register's own signatures, where it has enough students: on that of other writers, of
    another script, some signatures lie far from everybody, and chance is told too small.

    Parameters
    ----------
    groups : Series of list of str
        Described specimens of each student.
    """
    if len(groups) < OWN_SCALE:
        return tools.ground.background.space
    chosen = groups.iloc[evenly(len(groups), MOST_SCALING)]
    wanted = [one for each in chosen for one in each[:EACH_SCALING]]
    _, read = reads.descriptors(store, tools.descriptor_id, wanted)
    return DescriptorSpace.fit(read, tools.descriptor.blocks)
