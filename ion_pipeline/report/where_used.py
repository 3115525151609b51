"""Reads in which top-level units each serial and lot of the published data is: all of them, on the page or not."""

from dataclasses import dataclass

import duckdb

from ion_pipeline.publish.containment import NAMES, unread_entities

READS = frozenset({
    "genealogy.abom_installations",
    "genealogy.abom_where_used",
    "genealogy.genealogy_anomalies",
    "reference.part_inventories",
})  # fmt: skip

# The same words as on the tree's lines.
_TOPS = """
select
    part_inventory_id,
    coalesce(part_number, 'part ' || part_id || ' (not shown)', 'unknown part') || coalesce(' ' || part_revision, '')
    || coalesce(' S/N ' || serial_number, ' lot ' || lot_number, ' #' || part_inventory_id) as label
from reference.part_inventories
where part_inventory_id in (select ancestor_part_inventory_id from genealogy.abom_where_used where is_top_level)
order by label, part_inventory_id
"""

# A unit that lies above a cycle, or too deep, is in no tree with what is below: the trees count short for that.
_USES = f"""
with recursive names as ({NAMES}),

families as (
    select part_inventory_id as piece_id, part_inventory_id
    from names
    union
    select families.piece_id, split.part_inventory_id
    from families
    inner join reference.part_inventories as split on families.part_inventory_id = split.origin_part_inventory_id
),

cut_units as (
    select child_part_inventory_id as part_inventory_id
    from genealogy.abom_installations
    where is_quarantined
    union
    select part_inventory_id
    from genealogy.genealogy_anomalies
    where anomaly = 'tree_cut_off'
),

below_cuts as (
    select part_inventory_id from cut_units
    union
    select used.component_part_inventory_id as part_inventory_id
    from genealogy.abom_where_used as used
    inner join cut_units on used.ancestor_part_inventory_id = cut_units.part_inventory_id
),

tops as (
    select component_part_inventory_id as part_inventory_id, ancestor_part_inventory_id
    from genealogy.abom_where_used
    where is_top_level
)

select
    names.name,
    names.part,
    list(distinct names.part_inventory_id order by names.part_inventory_id) as pieces,
    list(distinct tops.ancestor_part_inventory_id) filter (tops.ancestor_part_inventory_id is not null) as units,
    bool_or(below_cuts.part_inventory_id is not null) as is_short
from names
inner join families on names.part_inventory_id = families.piece_id
left join tops on families.part_inventory_id = tops.part_inventory_id
left join below_cuts on families.part_inventory_id = below_cuts.part_inventory_id
group by names.name, names.part
order by names.name, names.part
"""  # noqa: S608 -- the CTE above


@dataclass(frozen=True, slots=True)
class Use:
    """A serial or lot number of a part.

    Attributes:
        name: The serial or lot number.
        part: The part number.
        pieces: The inventories that have the number.
        units: Places in `WhereUsed.tops` of the units that contain one of the pieces, or something split off one.
        is_short: Whether further units contain it that are in no tree with it.
    """

    name: str
    part: str
    pieces: tuple[int, ...]
    units: tuple[int, ...]
    is_short: bool


@dataclass(frozen=True, slots=True)
class WhereUsed:
    """In which top-level units each serial and lot number is.

    Attributes:
        tops: Id and label of each top-level unit that contains something.
        uses: All serial and lot numbers, in order.
        unread: Entities of ION that were never read and could hold further installations.
    """

    tops: tuple[tuple[int, str], ...]
    uses: tuple[Use, ...]
    unread: tuple[str, ...]


def read_where_used(connection: duckdb.DuckDBPyConnection) -> WhereUsed:
    """All serials and lots of the published file, with the top-level units that contain them."""
    tops = connection.execute(_TOPS).fetchall()
    place = {unit: number for number, (unit, _) in enumerate(tops)}
    uses = tuple(
        Use(name, part, tuple(pieces), tuple(sorted(place[unit] for unit in units or ())), is_short)
        for name, part, pieces, units, is_short in connection.execute(_USES).fetchall()
    )
    return WhereUsed(tuple(tops), uses, unread_entities(connection))
