"""``python -m data stamp``: the head of the audit log, stamped by a service elsewhere (RFC 3161)."""

from __future__ import annotations

from typing import Annotated

import typer

from data.commands.frame import ACTOR, NO_ANSWER, WRONG, Refusal, opened_store


def stamp(
    actor: Annotated[str, typer.Option(help="Who has it stamped, for the log.")] = ACTOR,
) -> None:
    """Have the service of TEPAT_TSA stamp the audit log's head, and keep the stamp beside the kept head.

    The service learns a SHA-256 and nothing else. Nothing is kept that TEPAT_TSA_CA does not prove.
    """
    from data.settings import get_settings
    from data.trust import audit
    from data.trust import time_stamps as stamps

    settings = get_settings()
    with opened_store() as store:
        address, trusted = stamps.service_address(settings.tsa), stamps.authority(settings.tsa_ca)
        with store.reading() as connection:
            head, stamped = stamps.newest_head_kept(connection, store.seal)
        if stamped:
            typer.echo(f"nothing new since entry {head.entry - 1:,} was stamped")
            return
        try:
            content, at = stamps.request_stamp(address, head, trusted)
        except stamps.StampProblem as problem:
            raise Refusal(str(problem), NO_ANSWER if problem.code == "down" else WRONG) from None
        file = stamps.keep_stamp(store.seal, head, content)
        about = {"entry": head.entry, "stamped_at": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
        audit.append(
            store, actor=actor, role="system", action=stamps.STAMPING, object="audit log", detail=about
        )
    typer.echo(f"stamped    entry {head.entry:,}, {head.hash}")
    typer.echo(f"at         {at:%Y-%m-%d %H:%M:%S} UTC, by the service's clock")
    typer.echo(f"kept       {file}")
