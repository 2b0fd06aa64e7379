"""The common scale of a register's own signatures."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.engine.database import Store
from data.verification import queries as reads
from vision.descriptor.common_scale import DescriptorSpace
from vision.verification.verification_tools import Tools

OWN_SCALE, MOST_SCALING, EACH_SCALING = 20, 400, 3
"""Students from whom on a register has a scale of its own; at most so many students, and so many signatures
of each, it is taken from."""


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
    chosen = groups.iloc[np.linspace(0, len(groups) - 1, min(len(groups), MOST_SCALING)).astype(int)]
    wanted = [one for each in chosen for one in each[:EACH_SCALING]]
    _, read = reads.descriptors(store, tools.descriptor_id, wanted)
    return DescriptorSpace.fit(read, tools.descriptor.blocks)
