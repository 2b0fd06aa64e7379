"""The lots: half of every block of neighbours on a list is offered help, by a secret fixed beforehand.

A student's ticket is the HMAC-SHA-256 (RFC 2104) of draw and student key under the secret whose SHA-256
stands in the registered protocol. In each block the half with the smaller tickets is offered help. Anybody
who is given the secret can work the lots out again with any software; nobody without it can foresee them.
"""

from __future__ import annotations

import hmac

import numpy as np
import pandas as pd

OFFERED, USUAL = "offered", "usual"


def ticket(seed: bytes, draw: int, student_key: str) -> str:
    """A student's ticket, 64 hexadecimal digits.

    Parameters
    ----------
    seed : bytes
        The secret.
    draw : int
        Number of the draw, from 1.
    student_key : str
    """
    return hmac.digest(seed, f"{draw}:{student_key}".encode(), "sha256").hex()


def draw_lots(candidates: pd.DataFrame, seed: bytes, draw: int, *, block: int) -> pd.DataFrame:
    """Blocks and lots of the candidates of one draw.

    Parameters
    ----------
    candidates : DataFrame
        ``student_key, list_name, place``; an even number of each list.
    seed : bytes
        The secret.
    draw : int
        Number of the draw, from 1.
    block : int
        Students of a block, even; the last block of a list may be smaller, and is even too.

    Returns
    -------
    DataFrame
        The candidates with ``block`` (from 1, within the list) and ``arm`` ("offered" or "usual"), by list
        and place. Within each block exactly half are offered, each student with probability one half.

    Raises
    ------
    ValueError
        When ``block`` or the number of a list's candidates is odd.
    """
    if block < 2 or block % 2:
        raise ValueError(f"block must be an even number from 2 on, got {block}")
    ordered = candidates.sort_values(["list_name", "place"], kind="stable").reset_index(drop=True)
    keys, whose = ordered["student_key"].tolist(), pd.factorize(ordered["list_name"])[0]
    sizes = np.bincount(whose) if len(whose) else np.zeros(0, int)
    if (sizes % 2).any():
        raise ValueError(f"candidates must be an even number of each list, got {sizes[sizes % 2 > 0][0]}")
    within = np.arange(len(keys)) - (np.cumsum(sizes) - sizes)[whose]  # lists follow each other
    first = within % block == 0
    number = np.cumsum(first) - 1  # of the block, over all lists
    begin, size = np.flatnonzero(first), np.bincount(number) if len(number) else np.zeros(0, int)
    tickets = np.array([ticket(seed, draw, key) for key in keys], dtype="U64")
    rank = np.empty(len(keys), int)
    rank[np.lexsort((tickets, number))] = np.arange(len(keys))
    offered = 2 * (rank - begin[number]) < size[number]
    ordered["block"] = within // block + 1
    ordered["arm"] = np.where(offered, OFFERED, USUAL)
    return ordered


def lots_that_differ(drawn: pd.DataFrame, seed: bytes, *, block: int) -> list[str]:
    """Students whose stored block or group is not what the secret gives; empty when every lot is as drawn.

    Parameters
    ----------
    drawn : DataFrame
        ``student_key, draw, list_name, place, block, arm``. Where students were erased since, the blocks of
        their list cannot be worked out again; groups are then compared within the stored blocks only.
    seed : bytes
    block : int
        Of the protocol.
    """
    wrong: list[str] = []
    for number, one in drawn.groupby("draw"):
        for _, mine in one.groupby(["list_name", "block"]):
            tickets = {key: ticket(seed, int(number), key) for key in mine["student_key"]}
            arms = dict(zip(mine["student_key"], mine["arm"], strict=True))
            offered = [tickets[key] for key, arm in arms.items() if arm == OFFERED]
            usual = [tickets[key] for key, arm in arms.items() if arm == USUAL]
            unlike = bool(offered and usual) and max(offered) > min(usual)
            if unlike or max(len(offered), len(usual)) > block // 2:
                wrong += sorted(arms)
    return wrong
