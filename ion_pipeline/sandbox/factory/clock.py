"""The factory's time: half a year, so that a world depends only on its seed and on the date that it is for.

The factory simulates this period. For another date than `TODAY` it works up to six days longer, and all days are then
moved by whole weeks, so that each day of the week stays what it was.
"""

from datetime import UTC, date, datetime, time, timedelta

#: The first day on which the factory works.
FIRST_DAY = date(2026, 1, 5)
#: The last day on which the factory works in a new world; its evening is the world's present.
LAST_DAY = date(2026, 6, 30)
#: The date that a world is for unless another one is named; a world ends in the evening before, or before the weekend.
TODAY = date(2026, 7, 1)
#: The world's present instant.
NOW = datetime(2026, 6, 30, 18, 0, tzinfo=UTC)

_SATURDAY = 5


def at(day: date, hour: int = 8, minute: int = 0, second: int = 0, micro: int = 0) -> datetime:
    """An instant on a day, in UTC."""
    return datetime.combine(day, time(hour, minute, second, micro, tzinfo=UTC))


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds and a fixed width, so that texts sort in the order of time."""
    return moment.isoformat(timespec="microseconds")


def working_days(first: date = FIRST_DAY, last: date = LAST_DAY) -> list[date]:
    """Mondays to Fridays from the first to the last day, both included."""
    span = (last - first).days + 1
    days = (first + timedelta(days=offset) for offset in range(span))
    return [day for day in days if day.weekday() < _SATURDAY]


def period_for(today: date) -> tuple[date, timedelta]:
    """The last day to simulate for a date, and by how much all days of the finished world are to be moved."""
    weeks, days = divmod((today - TODAY).days, 7)
    return LAST_DAY + timedelta(days=days), timedelta(weeks=weeks)


def next_working_day(day: date, count: int = 1) -> date:
    """The working day that is `count` working days after a day."""
    while count:
        day += timedelta(days=1)
        if day.weekday() < _SATURDAY:
            count -= 1
    return day
