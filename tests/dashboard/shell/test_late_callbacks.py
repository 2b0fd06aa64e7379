"""A choice that arrives after its session has ended changes nothing, and no page fails of it."""

from __future__ import annotations

from dashboard.shell.view import sidebar
from dashboard.students.view import whatif_panel


def test_a_language_chosen_as_somebody_signs_out():
    sidebar._take_language()


def test_a_lever_moved_as_a_session_ends(monkeypatch):
    chosen = {"gpa_last": 2.0}
    monkeypatch.setattr(whatif_panel, "_chosen", lambda score_id: chosen)
    monkeypatch.setattr(whatif_panel.whatif, "scale_of", lambda name, span: (2.0, 3.0))
    whatif_panel._take("gpa_last", (2.0, 0.0, 4.0), 7)
    assert chosen == {"gpa_last": 2.0}
