"""``python -m dashboard report-settings``: what every report prints and counts by."""

from __future__ import annotations

import typer

from data.commands.frame import ACTOR, Refusal, opened_store

DEFAULT = "default"


def report_settings(
    start_month: int = typer.Option(None, help="Month that begins the academic year, 8 to 12."),
    closing_months: str = typer.Option(
        None,
        help="Months whose exits belong to the term that ended before them, e.g. 2,8; "
        f"{DEFAULT}: until the academic year starts, and as long after the odd term.",
    ),
    graduation_date: str = typer.Option(None, help="What the exit date is, e.g. yudisium, diploma, PDDikti."),
    preparing_team: str = typer.Option(None, help="Name in the signature block."),
    head_of_programme: str = typer.Option(None, help="Name in the signature block."),
    university_leader: str = typer.Option(None, help="Name in the signature block."),
    preparing_team_number: str = typer.Option(None, help="Staff number below the name, e.g. NIP 1980…"),
    head_of_programme_number: str = typer.Option(None, help="Staff number below the name."),
    university_leader_number: str = typer.Option(None, help="Staff number below the name."),
    place: str = typer.Option(None, help="Where reports are signed, printed before the date."),
    time_zone: str = typer.Option(None, help="Whose clock pages and files tell, e.g. Asia/Jakarta."),
) -> None:
    """Set what is given, then show all settings. Stored exit terms follow a changed calendar."""

    from data.calendar.setting import SETTINGS, change_settings
    from data.store import get_fact

    given = {"start_month": start_month, "graduation_date": graduation_date, "place": place}
    numbers = {"preparing_team": preparing_team_number, "head_of_programme": head_of_programme_number}
    numbers["university_leader"] = university_leader_number
    people = {"preparing_team": preparing_team, "head_of_programme": head_of_programme}
    people["university_leader"] = university_leader
    given = {name: value for name, value in given.items() if value is not None}
    if time_zone is not None:
        given["time_zone"] = _zone(time_zone)
    if closing_months is not None:
        given["closing_months"] = _months(closing_months)
    with opened_store() as store:
        settings = get_fact(store, SETTINGS, {})
        names = settings.get("signatories", {}) | {
            role: name for role, name in people.items() if name is not None
        }
        told = settings.get("signatory_numbers", {}) | {
            role: number for role, number in numbers.items() if number is not None
        }
        if names:
            given["signatories"] = names
        if told:
            given["signatory_numbers"] = told
        moved = 0
        if given:
            change = change_settings(store, given, actor=ACTOR)
            settings, moved = change.settings, change.moved
    for name, value in settings.items():
        typer.echo(f"{name}: {value}")
    if moved:
        typer.echo(
            f"{moved} exits belong to another term now. Train and score again: python -m fusion train, "
            "python -m fusion score. The last import can no longer be undone."
        )


def _zone(name: str) -> str:
    from zoneinfo import available_timezones

    if name and name not in available_timezones():
        raise Refusal(f"--time-zone must be a name such as Asia/Jakarta or Asia/Makassar; got {name!r}")
    return name


def _months(text: str) -> list[int] | None:
    if text.strip() == DEFAULT:
        return None
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdecimal() and 1 <= int(part) <= 12 for part in parts):
        raise Refusal(f"--closing-months must be months as numbers, e.g. 2,8, or {DEFAULT}; got {text!r}")
    return sorted({int(part) for part in parts})
