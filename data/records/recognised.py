"""Credits recognised at entry: the one rule of how they stand beside a register's own totals.

Some registers book them into the total of the first term, others keep them apart for ever. What a student has
earned is both together, whichever it is: in features, on pages and in lists.
"""

from __future__ import annotations

import numpy as np


def with_recognised(total, recognised, of_terms) -> np.ndarray:
    """Credits earned, those recognised at entry counted once.

    Parameters
    ----------
    total : array-like (n,)
        Credits by the register's own total, or the sum of those passed by term; NaN unknown.
    recognised : array-like (n,)
        Credits recognised at entry; NaN unknown.
    of_terms : array-like (n,)
        Credits passed in the terms behind the total, summed; NaN where the terms do not tell.

    Returns
    -------
    ndarray (n,)

    Notes
    -----
    A total that holds the recognised credits exceeds the terms' sum by them, less what was passed twice; one
    that leaves them out does not. Half of them parts the two. Of a register without credits by term it cannot
    be told, and the total is taken as it is.
    """
    total, recognised, of_terms = (np.asarray(v, float) for v in (total, recognised, of_terms))
    apart = (recognised > 0) & (total - of_terms < recognised / 2)
    return total + np.where(apart, recognised, 0.0)
