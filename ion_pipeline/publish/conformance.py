"""A unit and everything in it, compared with the plans that the units were started with: lines and one verdict."""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import duckdb

from ion_pipeline.counting import plural
from ion_pipeline.publish.query import Row, rows_of

CONFORMS = frozenset({"conforming", "conforming_substitute", "conforming_revision"})
# Levels that the models follow; `abom_max_depth` of the dbt project.
MAX_DEPTH = 256

# Each unit of the tree once, at its first place.
_LINES = """
with members as (
    select
        part_inventory_id,
        min(depth) as depth,
        min(sort_key) as sort_key,
        arg_min(path_text, sort_key) as path_text,
        count(*) as place_count
    from genealogy.abom_hierarchy
    where root_part_inventory_id = $unit and part_inventory_id is not null
    group by part_inventory_id
)

select members.depth + 1 as level, members.path_text, members.place_count, lines.*
from members
inner join genealogy.abom_conformance as lines on members.part_inventory_id = lines.part_inventory_id
where $levels is null or members.depth < $levels
order by members.sort_key, members.part_inventory_id, lines.part_number, lines.line_key
"""
_SIZE = """
select
    count(distinct tree.part_inventory_id) as units,
    count(distinct tree.part_inventory_id) filter (lines.part_inventory_id is not null) as comparable
from genealogy.abom_hierarchy as tree
left join genealogy.abom_conformance as lines on tree.part_inventory_id = lines.part_inventory_id
where tree.root_part_inventory_id = $unit
"""
_CUT_OFF = f"""
select count(*) > 0
from genealogy.abom_hierarchy as tree
left join genealogy.abom_installations as rings
    on tree.part_inventory_id = rings.parent_part_inventory_id and rings.is_quarantined
where
    list_contains($units, tree.root_part_inventory_id)
    and (rings.parent_part_inventory_id is not null or tree.depth > {MAX_DEPTH})
"""  # noqa: S608 -- a constant


class Verdict(StrEnum):
    """The answer for a whole unit; the values are those of `genealogy.unit_conformance`."""

    CONFORMING = "conforming"
    NOT_CONFORMING = "not_conforming"
    NOT_KNOWN = "not_known"
    NO_PLAN = "no_plan"


@dataclass(frozen=True, slots=True)
class Conformance:
    """What a unit and the units in it conform to.

    Attributes:
        lines: Rows of `abom_conformance` of all compared units, with `level` (1: the unit's own lines), `path_text` of
            the unit that the line belongs to, and `place_count`, the number of its places.
        plan_version: Highest version of the plan of the unit's own lines; None if it has no planned line.
        unit_count: Units in the tree, the unit itself included.
        comparable_count: Those that have lines, at all levels.
        compared_count: Those whose lines are in `lines`.
        is_cut_off: Whether installations in the unit are in no tree with it.
    """

    lines: tuple[Row, ...]
    plan_version: int | None
    unit_count: int
    comparable_count: int
    compared_count: int
    is_cut_off: bool

    @property
    def findings(self) -> Counter[str]:
        """How many lines do not conform, by what is wrong with them."""
        return Counter(finding(line) for line in self.lines if finding(line) not in CONFORMS)

    @property
    def verdict(self) -> Verdict:
        """The one answer for all lines."""
        if self.findings:
            return Verdict.NOT_CONFORMING
        if self.is_cut_off:
            return Verdict.NOT_KNOWN
        return Verdict.NO_PLAN if self.plan_version is None else Verdict.CONFORMING

    @property
    def sentence(self) -> str:
        """The verdict in one line, with what it covers."""
        if self.verdict is Verdict.NOT_CONFORMING:
            wrong = [line for line in self.lines if finding(line) not in CONFORMS]
            units = plural(len({line["part_inventory_id"] for line in wrong}), "unit")
            kinds = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(self.findings.items()))
            said = f"DOES NOT CONFORM: {len(wrong)} of {len(self.lines)} lines, in {units}: {kinds}."
        else:
            lines, units = plural(len(self.lines), "line"), plural(self.compared_count, "unit")
            said = {
                Verdict.CONFORMING: f"CONFORMS: {lines} in {units}.",
                Verdict.NOT_KNOWN: f"NOT KNOWN: the {len(self.lines)} compared lines conform, not all was compared.",
                Verdict.NO_PLAN: "NO PLAN: the unit itself has no planned line.",
            }[self.verdict]
        left_out = self.comparable_count - self.compared_count
        if left_out:
            said += f" NOT COMPARED: {plural(left_out, 'unit')} at deeper levels (--levels)."
        if self.is_cut_off:
            said += " Installations in a cycle, or deeper than trees go, are not compared."
        return said


def finding(line: Row) -> str:
    """What a line is: its status, or designator_mismatch where only the places differ."""
    status: str = line["status"]
    return "designator_mismatch" if status in CONFORMS and line.get("designator_match") == "mismatch" else status


def read_conformance(connection: duckdb.DuckDBPyConnection, unit: int, levels: int | None = None) -> Conformance:
    """Compare a unit with its plans.

    Args:
        connection: A connection to the published file.
        unit: Its part inventory id.
        levels: How many levels to compare, 1 for the unit's own lines; all if None.
    """
    lines = tuple(rows_of(connection, _LINES, {"unit": unit, "levels": levels}))
    versions = [line["mbom_version"] for line in lines if line["level"] == 1 and line["mbom_version"] is not None]
    unit_count, comparable = connection.execute(_SIZE, {"unit": unit}).fetchall()[0]
    return Conformance(
        lines,
        max(versions, default=None),
        unit_count,
        comparable,
        len({line["part_inventory_id"] for line in lines}),
        is_cut_off(connection, [unit]),
    )


def is_cut_off(connection: duckdb.DuckDBPyConnection, units: list[int]) -> bool:
    """Whether something is installed in one of the units that is in no tree with it."""
    return bool(connection.execute(_CUT_OFF, {"units": units}).fetchall()[0][0])
