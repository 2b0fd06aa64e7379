"""Who sits at the tab: moments are told on the clock of their browser."""

from __future__ import annotations

from types import SimpleNamespace

import pandas as pd
import pytest

from dashboard.shell import current_session

NOON = pd.Series(pd.to_datetime(["2026-11-20 12:00", "2026-07-01 23:30"]))


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("Asia/Jakarta", ["2026-11-20 19:00", "2026-07-02 06:30"]),
        ("Europe/Berlin", ["2026-11-20 13:00", "2026-07-02 01:30"]),
        (None, ["2026-11-20 12:00", "2026-07-01 23:30"]),
        ("Nowhere/At-All", ["2026-11-20 12:00", "2026-07-01 23:30"]),
        ("../etc/passwd", ["2026-11-20 12:00", "2026-07-01 23:30"]),
    ],
)
def test_moments_are_told_on_the_readers_clock(monkeypatch, zone, shown):
    monkeypatch.setattr(current_session.st, "context", SimpleNamespace(timezone=zone))
    assert current_session.here(NOON).tolist() == pd.to_datetime(shown).tolist()
