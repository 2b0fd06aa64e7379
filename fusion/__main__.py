"""``python -m fusion <command>``; each command lives in ``fusion/commands/<command>.py``."""

from __future__ import annotations

from data.commands.frame import command_line

COMMANDS = ("train", "score", "evaluate", "compare", "card", "approve", "roll-back", "records-only", "versus")
COMMANDS += ("controls", "drift", "rule", "trial")

app = command_line(
    "fusion", COMMANDS, "The risk model: train, score, evaluate, compare, and decide what is in service."
)

if __name__ == "__main__":
    app()
