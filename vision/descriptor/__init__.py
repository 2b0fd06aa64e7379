"""Ink → what verification, identification and duplicate search compare."""
