"""``python -m dashboard report-settings``: what every report prints and counts by."""

from __future__ import annotations

import typer


def report_settings(
    start_month: int = typer.Option(None, min=1, max=12, help="Month that begins the academic year."),
    graduation_date: str = typer.Option(None, help="What the exit date is, e.g. yudisium, diploma, PDDikti."),
    preparing_team: str = typer.Option(None, help="Name in the signature block."),
    head_of_programme: str = typer.Option(None, help="Name in the signature block."),
    university_leader: str = typer.Option(None, help="Name in the signature block."),
) -> None:
    """Set what is given, then show all settings."""
    from dashboard.reports.pipeline import SETTINGS
    from data.store import get_fact, open_store, set_fact

    store = open_store()
    settings = get_fact(store, SETTINGS, {})
    given = {"start_month": start_month, "graduation_date": graduation_date}
    people = {"preparing_team": preparing_team, "head_of_programme": head_of_programme}
    people["university_leader"] = university_leader
    settings |= {name: value for name, value in given.items() if value is not None}
    names = settings.get("signatories", {}) | {
        role: name for role, name in people.items() if name is not None
    }
    if names:
        settings["signatories"] = names
    if settings:
        set_fact(store, SETTINGS, settings)
    for name, value in settings.items():
        typer.echo(f"{name}: {value}")
    store.close()
