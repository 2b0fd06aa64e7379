"""What nearly all peers have too is no reason, worked out by hand on forty peers.

The peers: forty S1 students after two terms. With 36 of 40 "new" a model that gives a transfer 2.0 on the
log-odds stands at a mean of 0.1 x 2.0 = 0.2: "new" adds 0 - 0.2 = -0.2 and a transfer 2.0 - 0.2 = 1.8.
"""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from fusion.explanation.explain import explain_score
from fusion.explanation.facts import SHARED, in_facts
from fusion.features.encode import TableEncoder
from fusion.model.peers import typical_peers

NAMES = ("program_code", "degree_level", "entry_type", "as_of_index", "failed_last")
CATEGORIES = {"program_code": ("IF", "MI"), "degree_level": ("S1",), "entry_type": ("new", "transfer")}
ENCODER = TableEncoder(NAMES, CATEGORIES)
SIGNS = np.array([0, 0, 0, 0, 0, 0, 1])


def peers(new: int, informatics: int = 40, unknown: int = 0, rare: int = 0):
    """Forty of them; of those who are not new some have no way of entry, some a rare one, others changed."""
    ways = ["new"] * new + [None] * unknown + ["rare"] * rare
    table = pd.DataFrame(
        {
            "program_code": ["IF"] * informatics + ["MI"] * (40 - informatics),
            "degree_level": "S1",
            "entry_type": ways + ["transfer"] * (40 - len(ways)),
            "as_of_index": 2.0,
            "failed_last": [0.0] * 30 + [2.0] * 10,
        }
    )
    return typical_peers(ENCODER, table, SIGNS)


def explained(known, phi, middle=None, **values):
    row = {
        "program_code": "IF",
        "degree_level": "S1",
        "entry_type": "new",
        "as_of_index": 2.0,
        "failed_last": 2.0,
    }
    inputs = ENCODER.inputs(pd.DataFrame([row | values]))[0]
    instead = None if middle is None else np.array([np.nan] * 6 + [middle])
    target = SimpleNamespace(records=SimpleNamespace(peers=known, instead=instead))
    model = SimpleNamespace(encoder=ENCODER, feature_names=list(NAMES), targets={"late": target})
    return explain_score(model, "late", np.array(phi, np.float32), inputs, -1.0, "records")


@pytest.mark.parametrize(("new", "shared"), [(40, True), (36, True), (35, False), (20, False)])
def test_a_value_of_nine_in_ten_peers_is_no_reason(new, shared):
    found = {c.name: c for c in explained(peers(new), [0, 0, -0.2, 0, 0.4]).contributions}
    assert found["entry_type"].shared is shared and found["entry_type"].told is not shared


@pytest.mark.parametrize(
    ("value", "phi", "told"),
    [
        (3.0, 0.4, True),  # more courses failed than in the middle, and it raises
        (0.0, 0.4, False),  # none failed "raises": what moves the score is that most peers lack the number
        (0.0, -0.4, True),
        (3.0, -0.4, False),
        (1.0, 0.4, True),  # the middle itself runs against nothing
    ],
)
def test_a_value_that_most_peers_lack_is_no_reason_against_what_it_says(value, phi, told):
    """Attendance that rose by three points once led what raises a risk: most peers had none."""
    table = pd.DataFrame(
        {
            "program_code": "IF",
            "degree_level": "S1",
            "entry_type": "new",
            "as_of_index": 2.0,
            "failed_last": [np.nan] * 30 + [1.0] * 10,
        },
        index=range(40),
    )
    lacking = typical_peers(ENCODER, table, SIGNS)
    found = explained(lacking, [0, 0, 0, 0, phi], middle=1.0, failed_last=value)
    reason = next(c for c in found.contributions if c.name == "failed_last")
    assert reason.told is told and reason.usual is None
    assert sum(c.phi for c in in_facts(found).contributions) == pytest.approx(phi)


def test_what_few_have_is_told_in_full():
    found = {
        c.name: c for c in explained(peers(36), [0, 0, 1.8, 0, 0.4], entry_type="transfer").contributions
    }
    assert found["entry_type"].told and found["entry_type"].phi == pytest.approx(1.8)


def test_the_rule_is_the_same_for_every_category_and_for_what_is_not_recorded():
    one = {c.name: c for c in explained(peers(40, informatics=38), [0.1, 0, 0, 0, 0]).contributions}
    assert one["program_code"].shared  # 38 of 40
    two = {c.name: c for c in explained(peers(40, informatics=24), [0.1, 0, 0, 0, 0]).contributions}
    assert two["program_code"].told  # 24 of 40
    blank = {
        c.name: c for c in explained(peers(2, unknown=37), [0, 0, 0.3, 0, 0], entry_type=None).contributions
    }
    assert blank["entry_type"].shared  # 37 of 40 have none either
    odd = {
        c.name: c for c in explained(peers(2, rare=37), [0, 0, 0.3, 0, 0], entry_type="strange").contributions
    }
    assert odd["entry_type"].shared  # a value without a column, as 37 of 40


def test_what_peers_are_chosen_by_is_no_reason_and_a_number_is_told_beside_the_usual_one():
    found = {c.name: c for c in explained(peers(36), [0, 0.3, -0.2, 0.2, 0.4]).contributions}
    assert not found["degree_level"].told and not found["as_of_index"].told
    assert found["failed_last"].told and (found["failed_last"].value, found["failed_last"].usual) == (
        2.0,
        0.0,
    )
    wide = explained(peers(36), [0, 0, 0, 0, 0.4], degree_level="D3").contributions
    assert all(c.usual is None for c in wide)  # nobody of that level: what is usual in another is not told


def test_what_is_shared_stands_in_one_sum_of_its_own_and_nothing_is_lost():
    told = in_facts(explained(peers(36), [0.5, 0.3, -0.2, 0.1, 0.4])).contributions
    by_name = {c.name: c.phi for c in told}
    assert by_name == pytest.approx({SHARED: 0.3 - 0.2 + 0.1 + 0.5, "failed_last": 0.4})
    rest = in_facts(explained(peers(35, informatics=24), [0.5, 0.3, -0.2, 0.1, 0.4])).contributions
    assert {c.name: c.phi for c in rest} == pytest.approx(
        {SHARED: 0.4, "program_code": 0.5, "failed_last": 0.4, "entry_type": -0.2}
    )


def test_a_model_from_before_there_were_peers_shares_nothing():
    assert all(not c.shared and c.usual is None for c in explained(None, [0.1] * 5).contributions)
