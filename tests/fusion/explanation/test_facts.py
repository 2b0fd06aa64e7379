"""One fact is one reason, and nothing is lost by it."""

import pytest

from fusion.explanation.explain import Contribution, Explanation
from fusion.explanation.facts import FACT_OF, in_facts
from fusion.features.feature_list import FEATURES


def part(name, value, phi):
    f = FEATURES[name]
    return Contribution(name, f.label_key, f.label, f.group, f.modality, f.unit, value, phi, f.changeable)


def told(*parts) -> Explanation:
    return in_facts(Explanation("late", -1.0, -1.0 + sum(p.phi for p in parts), parts))


def test_results_of_one_term_are_one_reason_shown_by_the_one_that_tells_most():
    found = told(
        part("failed_last", 2.0, 0.2), part("credits_last", 12.0, 0.3), part("pass_ratio_last", 0.6, 0.1)
    )
    assert [(c.name, c.value, c.phi) for c in found.contributions] == [
        ("credits_last", 12.0, pytest.approx(0.6))
    ]


def test_a_fact_is_shown_by_a_feature_of_its_own_direction():
    found = told(part("gpa_cum", 3.1, -0.4), part("gpa_lowest", 1.2, 0.3), part("gpa_first", 1.2, 0.3))
    assert [c.name for c in found.contributions] == ["gpa_lowest"]
    assert found.contributions[0].phi == pytest.approx(0.2)


def test_not_registered_inactive_and_nothing_passed_are_one_reason():
    parts = (part("status_last", "N", 0.1), part("inactive_terms", 1.0, 0.4), part("credits_last", 0.0, 0.5))
    found = told(*parts, part("load_mean", 9.0, 0.0))
    assert [(c.name, c.value) for c in found.contributions] == [("status_last", "N")]
    assert found.contributions[0].phi == pytest.approx(1.0)
    present = told(part("status_last", "A", -0.1), *parts[1:])
    assert [c.name for c in present.contributions] == ["credits_last", "inactive_terms"]


def test_the_sum_stays_and_the_largest_comes_first():
    parts = tuple(part(name, 1.0, 0.01 * n) for n, name in enumerate(FACT_OF))
    found = told(*parts)
    assert sum(c.phi for c in found.contributions) == pytest.approx(sum(p.phi for p in parts))
    sizes = [abs(c.phi) for c in found.contributions]
    assert sizes == sorted(sizes, reverse=True) and len(sizes) == len(set(FACT_OF.values()))
    assert set(FACT_OF) <= set(FEATURES)
