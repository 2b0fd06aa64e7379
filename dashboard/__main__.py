"""``python -m dashboard <command>``; each command lives in ``dashboard/commands/<command>.py``."""

from __future__ import annotations

from data.commands.frame import command_line

COMMANDS = ("serve", "digest", "worker", "report", "report-pack", "report-settings", "report-verify")
COMMANDS += ("model-report", "demo-work")

app = command_line(
    "dashboard", COMMANDS, "The dashboard: serve it, or write its reports from the command line."
)

if __name__ == "__main__":
    app()
