"""The store's clock."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The present time in UTC, without a zone, as the store keeps times."""
    return datetime.now(UTC).replace(tzinfo=None)
