"""``python -m vision <command>``; each command lives in ``vision/commands/<command>.py``."""

from __future__ import annotations

from data.commands.frame import command_line

COMMANDS = ("embed", "train", "encoder-info", "enrol", "verify", "identify", "duplicates", "calibrate")

app = command_line(
    "vision", COMMANDS, "Signatures: check, embed, enrol and verify them, search for hands, train encoders."
)

if __name__ == "__main__":
    app()
