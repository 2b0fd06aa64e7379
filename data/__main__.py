"""``python -m data <command>``; each command lives in ``data/commands/<command>.py``."""

from __future__ import annotations

from data.commands.frame import command_line

COMMANDS = ("init", "status", "load", "feeder", "grade-rules", "demo", "real", "account", "token")
COMMANDS += (
    "consent",
    "erase",
    "retention",
    "audit",
    "stamp",
    "key",
    "rotate-key",
    "backup",
    "verify",
    "restore",
    "revise",
)

app = command_line("data", COMMANDS, "The store: create it, fill it, look into it, erase from it.")

if __name__ == "__main__":
    app()
