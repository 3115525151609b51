"""How old the data behind an answer is, in a sentence."""

from datetime import UTC, datetime

_HOUR, _DAY = 3600, 86_400


def data_line(read_at: datetime | None, now: datetime | None = None) -> str:
    """When the data was read from ION, and how long ago that is.

    Args:
        read_at: The instant of the latest load; None if nothing was loaded.
        now: The present, for tests.
    """
    if read_at is None:
        return "Nothing was loaded from ION yet."
    seconds = ((now or datetime.now(UTC)) - read_at).total_seconds()
    return f"Data as of {read_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, {_ago(seconds)}."


def _ago(seconds: float) -> str:
    if seconds < _HOUR:
        return f"{max(seconds, 0) / 60:.0f} min old"
    return f"{seconds / _HOUR:.1f} h old" if seconds < 2 * _DAY else f"{seconds / _DAY:,.0f} days old"
