"""``python -m dashboard.shell.processes.one``: one app process; only its parent starts it."""

from __future__ import annotations

import socket
import sys

from data.commands.frame import INTERRUPTED, as_refusal


def main(number: int, channel: int, port: int, address: str) -> int:
    """Serve what is handed over until the parent's end closes; the exit code.

    Parameters
    ----------
    number : int
        Of this process.
    channel : int
        Descriptor of this process's end of the pair of sockets.
    port, address
        Where the parent listens.
    """
    from dashboard.shell.processes.marking import Place
    from dashboard.shell.server import serve_handed
    from data.store import open_store

    try:
        # The parent has brought the store to its revision. A newer release that needs another one does not
        # change it under the processes that are still at work: it is refused here.
        open_store(create=False, upgrade=False).close()
        serve_handed(socket.socket(fileno=channel), Place(number), port, address)
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as problem:
        refusal = as_refusal(problem)
        if refusal is None:
            raise
        print(f"error: {refusal}", file=sys.stderr)
        return refusal.code
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
