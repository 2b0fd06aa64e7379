"""Alembic migrations of the store; ``python -m data revise`` writes the next one from ``data/schema.py``."""
