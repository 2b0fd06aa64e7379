import numpy as np
import pytest

from fusion.assemble import lesson
from fusion.booster import TreeSettings
from fusion.fit import fit_model
from fusion.splits import mature_labels
from fusion.whatif import LEVERS, possible, score_changes, smallest_change, what_if


@pytest.fixture(scope="module")
def scored(simulated):
    rows = lesson(simulated.rows, mature_labels(simulated.register), "late")
    model = fit_model({"late": rows}, seed=2, settings=TreeSettings(rounds=60))
    return model, rows.rows


def rows_at(rows, index):
    return np.flatnonzero((rows.as_of == index) & rows.table["attendance_last"].notna().to_numpy())


def test_nothing_changed_gives_the_score_as_it_is(scored):
    model, rows = scored
    row = rows.take(rows_at(rows, 3)[:1])
    present = {name: value[0] for name, value in possible(row.table.iloc[0]).items()}
    same = what_if(model, row, "late", present)
    assert same.risk == pytest.approx(model.score(row, "late").frame["risk"][0], abs=1e-6)
    assert same.low <= same.risk <= same.high and "association" in same.note


def test_dependent_features_follow_by_arithmetic(hand_register):
    from fusion.assemble import rows_as_of

    row = rows_as_of(hand_register, 3).take(np.array([0])).table.iloc[0].to_dict()
    changed = dict(row, failed_last=0.0, credits_last=20.0, attendance_last=0.9, gpa_last=3.1)
    LEVERS["failed_last"].follow(changed, 1.0, 0.0)
    LEVERS["credits_last"].follow(changed, 16.0, 20.0)
    LEVERS["attendance_last"].follow(changed, 0.8, 0.9)
    LEVERS["gpa_last"].follow(changed, 2.5, 3.1)
    assert changed["failed_total"] == 3
    assert changed["credits_cum"] == 50 and changed["credit_pace"] == pytest.approx(50 / 54)
    assert changed["credits_needed"] == pytest.approx((144 - 50) / 5)
    assert changed["pass_ratio_last"] == 1 and changed["pass_ratio"] == pytest.approx(50 / 60)
    assert changed["attendance_mean"] == pytest.approx((0.9 + 0.7 + 0.9) / 3)
    assert changed["gpa_cum"] == pytest.approx((3.0 + 2.0 + 3.1) / 3)
    assert changed["gpa_trend"] == pytest.approx(np.polyfit([0, 1, 2], [3.0, 2.0, 3.1], 1)[0])


def test_what_cannot_be_changed_or_reached_is_refused(scored):
    model, rows = scored
    row = rows.take(rows_at(rows, 3)[:1])
    with pytest.raises(ValueError, match="sex"):
        what_if(model, row, "late", {"sex": 1.0})
    with pytest.raises(ValueError, match="attendance_last must lie in 0…1"):
        what_if(model, row, "late", {"attendance_last": 1.2})
    with pytest.raises(ValueError, match="exactly one"):
        what_if(model, rows, "late", {})
    first_day = rows.take(np.flatnonzero(rows.as_of == 0)[:1])
    with pytest.raises(ValueError, match="missing"):
        what_if(model, first_day, "late", {"gpa_last": 3.0})


def test_the_smallest_change_gets_below_the_cut_off_with_the_fewest_levers(scored):
    model, rows = scored
    some = rows.take(rows_at(rows, 4)[:60])
    risk = model.score(some, "late").frame["risk"].to_numpy()
    row = some.take(np.array([int(np.argsort(risk)[-8])]))
    best = smallest_change(model, row, "late", float(np.sort(risk)[-8]) - 0.03)
    assert best is not None and 1 <= len(best.changes) <= 3
    assert best.risk < best.before
    smaller = [{n: v} for n, v in best.changes.items()] if len(best.changes) > 1 else []
    assert all(score_changes(model, row, "late", [c])["risk"][0] >= best.risk for c in smaller)
    assert smallest_change(model, row, "late", 1.01).changes == {}
    assert smallest_change(model, row, "late", 0.0) is None
