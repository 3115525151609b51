"""Tools of a world that was read once, and their uses, use by use."""

from datetime import timedelta

from tests.oracle.production import Factory, instant, microseconds
from tests.oracle.step_results import step_results
from tests.oracle.world import Row


def tool_usage(factory: Factory) -> list[Row]:
    """The rows of `production.tool_usage`, without labels."""
    return [
        {
            "result_key": result["result_key"],
            "tool_part_inventory_id": tool["id"],
            "used_at": result["recorded_at"],
            "due_at": due,
            "was_overdue": None if due is None else result["recorded_at"] > due,
            "part_inventory_id": result["part_inventory_id"],
        }
        for result in step_results(factory)
        if (tool := factory.find("partInventories", result["entered_part_inventory_id"]))
        for due in [_due(factory, tool, result["recorded_at"])]
    ]


def _due(factory: Factory, tool: Row, used_at: int) -> int | None:
    seconds = factory.find("parts", tool["partId"]).get("maintenanceIntervalSeconds")
    if seconds is None or not tool.get("lastMaintainedDate"):
        return None
    maintained = instant(tool["lastMaintainedDate"])
    due = microseconds(maintained + timedelta(seconds=seconds))
    return due if (microseconds(maintained) or 0) <= used_at else None


def tools(factory: Factory) -> list[Row]:
    """The rows of `production.tools`, without labels and what depends on the time of the load."""
    uses = tool_usage(factory)
    return [
        {
            "part_inventory_id": unit["id"],
            "use_count": len(own),
            "last_used_at": max((use["used_at"] for use in own), default=None),
            "overdue_use_count": len(late),
            "overdue_unit_count": len({use["part_inventory_id"] for use in late} - {None}),
        }
        for unit in factory.world["partInventories"]
        if factory.find("parts", unit["partId"])["partType"] == "TOOL"
        for own in [[use for use in uses if use["tool_part_inventory_id"] == unit["id"]]]
        for late in [[use for use in own if use["was_overdue"]]]
    ]
