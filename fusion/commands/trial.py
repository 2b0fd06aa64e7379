"""``python -m fusion trial``: power beforehand, the trials of the store, whether the lots are as drawn."""

from __future__ import annotations

from typing import Annotated

import typer

from data.commands.frame import FOUND, opened_store
from fusion.trial.power import USUAL_POWER

trial = typer.Typer(help="Do the talks help? Lots near the capacity line.", no_args_is_help=True)

BASE = typer.Option(min=0.001, max=0.999, help="Expected share with the outcome among those not offered.")
DIFFERENCE = typer.Option(min=0.001, max=0.999, help="Smallest reduction of that share worth finding.")
WANTED = typer.Option(min=0.06, max=0.99, help="Wanted chance of finding it.")
STUDENTS = typer.Option(min=0, help="Students at hand, both groups together: what can they find?")
NUMBER = typer.Argument(help="Number of the trial.")


@trial.command()
def power(
    base_rate: Annotated[float, BASE] = 0.3,
    difference: Annotated[float, DIFFERENCE] = 0.05,
    wanted: Annotated[float, WANTED] = USUAL_POWER,
    students: Annotated[int, STUDENTS] = 0,
) -> None:
    """How many students a trial needs; with --students also what those at hand can find."""
    from fusion.trial.power import needed, power_of, smallest_found

    typer.echo(
        f"{needed(base_rate, difference, wanted)} students, both groups together, find a fall from "
        f"{base_rate:.1%} to {base_rate - difference:.1%} in {wanted:.0%} of trials (two-sided, 5 %)"
    )
    if students >= 2:
        found, least = power_of(students, base_rate, difference), smallest_found(students, base_rate, wanted)
        told = "no fall at all" if least is None else f"a fall of {100 * least:.1f} points"
        typer.echo(f"{students} students find that fall in {found:.0%} of trials, and {told} in {wanted:.0%}")


@trial.command("list")
def list_() -> None:
    """Every trial, its state and how many were drawn; no student."""
    from data.cases.trial_queries import trials
    from data.engine.shown_text import one_line
    from data.trust.scope import Scope

    with opened_store() as store:
        found = trials(store, Scope.system())
    for one in found:
        protocol = one.protocol
        typer.echo(
            f"{one.trial_id}  {one.state}  {one.drawn} of {protocol.planned} drawn, read on "
            f"{protocol.read_on}  {one_line(protocol.title)}"
        )
    if not found:
        typer.echo("no trial was registered")


@trial.command()
def check(number: Annotated[str, NUMBER]) -> None:
    """Work the lots out again from the secret, and compare the protocol with the one approved."""
    from data.cases.trial_queries import drawn_students, one_trial
    from data.cases.trials import TrialRefused, hold_to_what_was_registered, seed_of
    from data.trust.scope import Scope
    from fusion.trial.lottery import lots_that_differ

    with opened_store() as store:
        with store.reading() as connection:
            found = one_trial(connection, Scope.system(), number)
            try:
                hold_to_what_was_registered(connection, found)
            except TrialRefused as changed:
                typer.echo(str(changed))
                raise typer.Exit(FOUND) from None
            seed = seed_of(store, connection, found)
        drawn = drawn_students(store, number)
    wrong = lots_that_differ(drawn, seed, block=found.protocol.block)
    if wrong:
        typer.echo(f"{len(wrong)} students stand in blocks that the secret does not give")
        raise typer.Exit(FOUND)
    typer.echo(f"the lots of {len(drawn)} students are those that the registered secret gives")
