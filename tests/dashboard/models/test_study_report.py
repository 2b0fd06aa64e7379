import re

import pytest

from dashboard.models.study_report import study_markdown
from dashboard.shell.wording import Words
from fusion.service.reporting import assumed_share, needed_size, study_report
from fusion.service.sources import served_model

ITEMS = ("use", "flow", "outcome", "size", "predictors", "validation", "bias", "missing")


def test_the_size_needed_by_hand():
    """Riley's second criterion with ten numbers and an even share: R² at most 1 - 1/4, 0.15 of it 0.1125."""
    # 10 / (-0.1 * ln(1 - 0.1125 / 0.9)) = 10 / (0.1 * 0.133531) = 748.9
    assert needed_size(10, 0.5) == 749
    assert needed_size(10, 0.0) is None and needed_size(0, 0.5) is None


def test_a_day_that_an_import_would_assume_counts_as_assumed():
    import pandas as pd

    terms = pd.DataFrame({"term_id": [20231, 20231], "known_at": ["2024-03-02", "2024-02-10"]})
    assert assumed_share(terms) == 0.5  # 31 January and 31 days: 2 March
    assert assumed_share(terms.iloc[:0]) is None


@pytest.mark.parametrize("language", ["en", "id"])
def test_the_report_counts_everybody_once_and_leaves_no_item_out(small_university, language):
    manifest, words = served_model(small_university.store).manifest, Words(language)
    counted = study_report(small_university.store, manifest)
    flow = counted.flow
    assert flow.registered == flow.immature + flow.open_end + flow.usable
    assert flow.usable == sum(flow.labels.values()) == manifest.trained_on.students
    text = study_markdown(manifest, counted, words, synthetic=True, institution="Universitas Contoh")
    for item in ITEMS:
        assert f"## {words(f'study.{item}')}" in text
    assert words("study.synthetic") in text and "Universitas Contoh" in text
    assert words("study.unfilled_protocol") in text
    assert not re.search(r"\b(study|model|metric)\.[a-z_]+\b", text)  # every key was found
