"""Issues of a world over time: disposition, open periods, backlog at the end of each day, and time to close.

Computed the obvious way from the definitions, for a tenant that was read once, so without history.
"""

import csv
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from statistics import fmean, median

from tests.oracle.world import Row, World

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
BUCKETS = ((0, 7, "0_to_7"), (8, 30, "8_to_30"), (31, 90, "31_to_90"), (91, 10**9, "over_90"))


@dataclass(frozen=True)
class OpenPeriod:
    """A period in which an issue was open."""

    issue: int
    opened: datetime
    resolved: datetime | None

    def is_open_at_end_of(self, day: date) -> bool:
        return self.opened.date() <= day and (self.resolved is None or self.resolved.date() > day)

    @property
    def days(self) -> float:
        assert self.resolved is not None
        return (self.resolved - self.opened) / timedelta(days=1)


@dataclass(frozen=True)
class Decision:
    """The disposition of an issue and its category."""

    name: str | None
    category: str
    is_scrap: bool
    is_rejected: bool


def instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def decisions(world: World) -> dict[int, Decision]:
    """The disposition of each issue. The factory gives every issue with a disposition a type."""
    known = {row["disposition"].strip().casefold(): row for row in seed("disposition_categories")}
    titles = {row["id"]: row["title"] for row in world["issueDispositionTypes"]}
    found = {}
    for issue in world["issues"]:
        name = titles.get(issue.get("issueDispositionTypeId"))
        assert name or not issue.get("disposition")
        row = known.get(name.strip().casefold()) if name else None
        if row:
            flags = row["is_scrap"] == "true", row["is_rejected"] == "true"
            found[issue["id"]] = Decision(name, row["disposition_category"], *flags)
        else:
            found[issue["id"]] = Decision(name, "unmapped" if name else "undispositioned", False, False)
    return found


def open_periods(world: World) -> list[OpenPeriod]:
    """The open periods of each issue, from its row and its approvals."""
    return [period for issue in world["issues"] for period in _periods(world, issue)]


def _periods(world: World, issue: Row) -> Iterator[OpenPeriod]:
    opened, changed = datetime.fromisoformat(issue["_created"]), datetime.fromisoformat(issue["_updated"])
    answers, requests = (
        [row for row in world[name] if row["issueId"] == issue["id"] and row["issueApprovalGateType"] == "RESOLVED"]
        for name in ("issueApprovals", "issueApprovalRequests")
    )
    approvals = [datetime.fromisoformat(row["_created"]) for row in answers if row.get("status") == "APPROVED"]
    approved = max(approvals, default=None)
    missing = [row for row in requests if row.get("status") in {None, "PENDING", "REJECTED"}]
    if issue["status"] == "RESOLVED":
        yield OpenPeriod(issue["id"], opened, approved or changed)
    elif issue["status"] in {"PENDING", "IN_PROGRESS"} and approved and approved < changed and not missing:
        yield OpenPeriod(issue["id"], opened, approved)
        yield OpenPeriod(issue["id"], changed, None)
    else:
        yield OpenPeriod(issue["id"], opened, None)


def backlog(world: World, last_day: date) -> list[Row]:
    """Rows of ``issue_backlog_daily``."""
    periods = open_periods(world)
    day = min(period.opened.date() for period in periods)
    firsts = {period.issue: min(p.opened for p in periods if p.issue == period.issue) for period in periods}
    rows = []
    while day <= last_day:
        ages = [(day - period.opened.date()).days for period in periods if period.is_open_at_end_of(day)]
        opened = [period for period in periods if period.opened.date() == day]
        rows.append(
            {
                "day_on": day,
                "opened_count": len(opened),
                "reopened_count": sum(period.opened != firsts[period.issue] for period in opened),
                "resolved_count": sum(
                    period.resolved is not None and period.resolved.date() == day for period in periods
                ),
                "open_count": len(ages),
                **{f"open_count_{name}_days": sum(a <= age <= b for age in ages) for a, b, name in BUCKETS},
            }
        )
        day += timedelta(days=1)
    return rows


def resolution(world: World, last_day: date) -> list[Row]:
    """Rows of ``issue_resolution``: per month, part number and category."""
    decided, parts = decisions(world), part_numbers(world)
    classes: defaultdict[tuple[str | None, str], list[OpenPeriod]] = defaultdict(list)
    for period in open_periods(world):
        for part in parts.get(period.issue) or {None}:
            classes[part, decided[period.issue].category].append(period)
    rows = []
    for (part, category), periods in classes.items():
        for first, last in months(min(period.opened.date() for period in periods), last_day):
            closed = [period.days for period in periods if period.resolved and first <= period.resolved.date() <= last]
            ages = [(last - period.opened.date()).days for period in periods if period.is_open_at_end_of(last)]
            if closed or ages:
                rows.append(
                    {
                        "month_starts_on": first,
                        "part_number": part,
                        "disposition_category": category,
                        "resolved_issue_part_count": len(closed),
                        "mean_days_to_close": fmean(closed) if closed else None,
                        "median_days_to_close": median(closed) if closed else None,
                        "p90_days_to_close": quantile(closed, 0.9) if closed else None,
                        "open_issue_part_count": len(ages),
                        "mean_open_age_days": fmean(ages) if ages else None,
                        "median_open_age_days": median(ages) if ages else None,
                        "oldest_open_age_days": max(ages, default=None),
                    }
                )
    return rows


def units_of_issues(world: World) -> list[tuple[int, int]]:
    """Each issue with each unit it names."""
    linked = [(row["issueId"], row["partInventoryId"]) for row in world["issuePartInventories"]]
    named = {issue for issue, _ in linked}
    return linked + [
        (issue["id"], issue["partInventoryId"])
        for issue in world["issues"]
        if issue["id"] not in named and issue.get("partInventoryId") is not None
    ]


def part_numbers(world: World) -> dict[int, set[str]]:
    """The part numbers of each issue's units."""
    numbers = {row["id"]: row["partNumber"] for row in world["parts"]}
    part_of = {row["id"]: numbers[row["partId"]] for row in world["partInventories"]}
    found: defaultdict[int, set[str]] = defaultdict(set)
    for issue, unit in units_of_issues(world):
        found[issue].add(part_of[unit])
    return found


def months(since: date, until: date) -> Iterator[tuple[date, date]]:
    """First and last day of each month, the last one up to ``until``."""
    first = since.replace(day=1)
    while first <= until:
        following = (first + timedelta(days=31)).replace(day=1)
        yield first, min(following - timedelta(days=1), until)
        first = following


def quantile(values: list[float], share: float) -> float:
    """Return a quantile, interpolated between the two nearest values."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
