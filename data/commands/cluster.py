"""``--cluster``: the option of commands whose work can be spread over several processes or machines."""

from __future__ import annotations

from typing import Annotated

import typer

Cluster = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        help="Work on a cluster: local or local:N for N processes of this machine, tcp://host:port or "
        "tls://host:port for a Dask scheduler (docs/scaling.md). Default: in this process.",
    ),
]
