"""Which top-level units contain a lot or a serial, and how complete that answer is. Reads the published file.

A recall follows everything that was split off. It reads the trees; what is in no tree (the members of a cycle of
installations, what lies deeper than trees go) is found a second time from the installations themselves and is reported
apart, so that an answer is never silently short.
"""

from dataclasses import dataclass
from datetime import datetime

import duckdb

from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.publish.query import Row, rows_of, similar

READS = frozenset({
    "genealogy.abom_hierarchy",
    "genealogy.abom_installations",
    "genealogy.abom_where_used",
    "ops.freshness",
    "ops.loads",
    "reference.attributes",
    "reference.part_inventories",
})  # fmt: skip

# The entities of ION whose rows say what is installed in what, newest generation first: a tenant may have either.
_GENERATIONS = (("abom_installations", "build_requirements"), ("abom_edges", "abom_items"))

# A part that ION does not show (hidden from the key, or deleted) is named by its id, as in all trees.
_PART = "coalesce(part_number, 'part ' || part_id, '')"
# `union` gives a piece whose lot and serial number are the same text once.
NAMES = f"""
    select lot_number as name, {_PART} as part, part_inventory_id
    from reference.part_inventories
    where lot_number is not null
    union
    select serial_number as name, {_PART} as part, part_inventory_id
    from reference.part_inventories
    where serial_number is not null
"""  # noqa: S608 -- column names, no values

_NAMED = f"""
with names as ({NAMES})

select
    part,
    name,
    any_value(part_description) as description,
    count(*) as pieces,
    list(distinct part_revision order by part_revision) filter (part_revision is not null) as revisions,
    list(distinct status order by status) filter (status is not null) as statuses,
    list(distinct location_path order by location_path) filter (location_path is not null) as locations
from names
inner join reference.part_inventories using (part_inventory_id)
where
    lower($name) in (lower(name), lower(part || ':' || name), '#' || part_inventory_id)
    and ($part is null or lower(part) = lower($part))
group by part, name
order by part, name
"""  # noqa: S608 -- as above

_PIECES = f"""
with recursive pieces as (
    select part_inventory_id, 0 as splits
    from reference.part_inventories
    where {_PART} = $part and $name in (lot_number, serial_number)
    union
    select split.part_inventory_id, 1 as splits
    from pieces
    inner join reference.part_inventories as split on pieces.part_inventory_id = split.origin_part_inventory_id
),

origins as (
    select part_inventory_id, min(splits) = 1 as is_split
    from pieces
    group by part_inventory_id
)
"""  # noqa: S608 -- column names, no values

_PIECE_ROWS = f"""
{_PIECES}

select
    part_inventory_id, {_PART} as part_number, part_revision, serial_number, lot_number, status, location_path,
    quantity, quantity_available, quantity_installed, quantity_scrapped, unit_of_measure, supplier_name,
    origin_part_inventory_id, is_split, is_installed
from origins
inner join reference.part_inventories using (part_inventory_id)
order by is_split, part_inventory_id
"""  # noqa: S608 -- as above

_UNITS = f"""
{_PIECES}

select
    used.ancestor_part_inventory_id as part_inventory_id,
    coalesce(tops.part_number, 'part ' || tops.part_id, 'unit') as part_number,
    tops.part_revision, tops.part_description, tops.serial_number, tops.lot_number, tops.status, tops.location_path,
    (
        select list(concat_ws(': ', attribute_key, value_text) order by attribute_key)
        from reference.attributes
        where owner_type = 'part_inventory' and owner_id = used.ancestor_part_inventory_id and value_text is not null
    ) as attributes,
    case when count(*) = count(used.quantity_extended) then sum(used.quantity_extended) end as quantity_extended,
    cast(sum(used.path_count) as bigint) as path_count
from genealogy.abom_where_used as used
inner join origins on used.component_part_inventory_id = origins.part_inventory_id
inner join reference.part_inventories as tops on used.ancestor_part_inventory_id = tops.part_inventory_id
where used.is_top_level
group by all
order by part_number, tops.serial_number, tops.lot_number, part_inventory_id
"""  # noqa: S608 -- as above

_PLACES = f"""
{_PIECES},

-- One instant and person per installation, however often a line names it.
installed as (
    select
        parent_part_inventory_id,
        child_part_inventory_id,
        abom_installation_id,
        min(installed_at) as installed_at,
        arg_min(installed_by, installed_at) as installed_by
    from genealogy.abom_installations
    where child_part_inventory_id in (select part_inventory_id from origins)
    group by all
)

select
    tree.root_part_inventory_id,
    tree.part_inventory_id,
    tree.path_text,
    tree.quantity_extended,
    tree.abom_installation_id,
    installed.installed_at,
    installed.installed_by
from genealogy.abom_hierarchy as tree
inner join origins on tree.part_inventory_id = origins.part_inventory_id
left join installed
    on
        tree.parent_part_inventory_id = installed.parent_part_inventory_id
        and tree.part_inventory_id = installed.child_part_inventory_id
        and tree.abom_installation_id is not distinct from installed.abom_installation_id
where tree.depth > 0 and list_contains($roots, tree.root_part_inventory_id)
order by tree.root_part_inventory_id, tree.depth, tree.sort_key
"""  # noqa: S608 -- as above

# Upwards along the installations themselves, cycles and all, however deep: each unit is reached once.
_OUTSIDE = f"""
{_PIECES},

above as (
    select part_inventory_id from origins
    union
    select lines.parent_part_inventory_id as part_inventory_id
    from above
    inner join genealogy.abom_installations as lines on above.part_inventory_id = lines.child_part_inventory_id
)

select
    units.part_inventory_id,
    coalesce(units.part_number, 'part ' || units.part_id, 'unit') as part_number,
    units.part_revision, units.part_description, units.serial_number, units.lot_number, units.status,
    units.location_path
from above
inner join reference.part_inventories as units using (part_inventory_id)
where
    units.part_inventory_id not in (select part_inventory_id from origins)
    and units.part_inventory_id not in (
        select used.ancestor_part_inventory_id
        from genealogy.abom_where_used as used
        inner join origins on used.component_part_inventory_id = origins.part_inventory_id
    )
order by part_number, units.serial_number, units.lot_number, units.part_inventory_id
"""  # noqa: S608 -- as above

_SIMILAR = f"select part || ':' || name as label, name as spelling from ({NAMES})"  # noqa: S608 -- as above

# The number of rows read is not published if rows under export control are left out.
_AGE = "select tenant, read_at, rows_read is null from ops.loads where is_latest"
_NEVER_READ = "select entity from ops.freshness where last_read_at is null"


class UnknownLotError(IonPipelineError):
    """No lot or serial number has that name."""


class AmbiguousLotError(SettingsError):
    """Lots or serials of several parts have that name."""


@dataclass(frozen=True, slots=True)
class DataAge:
    """Whose data the published file holds, and how old it is.

    Attributes:
        tenant: The organisation and host that were read; None if nothing was loaded.
        read_at: When the latest load was read; None if nothing was loaded.
        is_released_only: Whether rows under export control are left out.
    """

    tenant: str | None
    read_at: datetime | None
    is_released_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """What an answer about the trees of a lot or serial lacks.

    Attributes:
        outside: Units above a piece in the installations but in no tree with it: the recall includes them.
        unread: Entities of ION that were never read and could hold further installations.
        is_released_only: Whether rows under export control are left out of the data.
    """

    outside: tuple[Row, ...]
    unread: tuple[str, ...]
    is_released_only: bool

    @property
    def warnings(self) -> tuple[str, ...]:
        """Why the list of units is not the whole answer, one sentence each; empty if it is."""
        said = []
        if self.outside:
            said.append(
                f"{len(self.outside)} more {'unit is' if len(self.outside) == 1 else 'units are'} above it in the "
                "installations but in no tree with it (installed in a cycle, or deeper than trees go): `abom recall` "
                "and the recall page list them."
            )
        if self.unread:
            said.append(
                f"{', '.join(self.unread)} of ION {'was' if len(self.unread) == 1 else 'were'} never read: "
                "installations recorded there are missing."
            )
        if self.is_released_only:
            said.append("Rows under export control are left out of this data: units among them are missing.")
        return tuple(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall(Gaps):
    """What contains a lot or serial.

    Attributes:
        part: Its part number, or `part` and the id of a part that ION does not show.
        name: Its lot or serial number.
        pieces: The lot itself and what was split off it.
        units: The top-level units whose trees contain one of the pieces, each with its `places`.
    """

    part: str
    name: str
    pieces: tuple[Row, ...]
    units: tuple[Row, ...]

    @property
    def verdict(self) -> str:
        """How many units contain it, and how many of them only the installations show."""
        count = len(self.units)
        least = "At least " if self.warnings else ""
        contain = "top-level unit contains" if count == 1 else "top-level units contain"
        more = f", and {len(self.outside):,} more by the installations alone" if self.outside else ""
        return f"{least}{count:,} {contain} {self.name} of {self.part}, or something that was split off it{more}."


def data_age(connection: duckdb.DuckDBPyConnection) -> DataAge:
    """Whose data this is, and the instant of the latest load."""
    row = connection.execute(_AGE).fetchone()
    return DataAge(*row) if row else DataAge(None, None, False)


def unread_entities(connection: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    """Entities that record installations and were never read, unless the other generation records them all."""
    never = {row[0] for row in connection.execute(_NEVER_READ).fetchall()}
    missing = [tuple(entity for entity in generation if entity in never) for generation in _GENERATIONS]
    return () if not all(missing) else missing[0]


def named_lot(connection: duckdb.DuckDBPyConnection, name: str, part: str | None = None) -> tuple[str, str]:
    """The part and the exact number of a lot or serial: its number alone, `PART:NUMBER`, or `#ID` of one of its pieces.

    Letters match in either case; a name that is written exactly so comes first.

    Raises:
        UnknownLotError: There is none.
        AmbiguousLotError: Several parts have such a lot or serial number; the message lists how they differ.
    """
    found = rows_of(connection, _NAMED, {"name": name.strip(), "part": part})
    exact = [row for row in found if name.strip() in {row["name"], f"{row['part']}:{row['name']}"}]
    found = exact or found
    if not found:
        near = similar(connection, _SIMILAR, name.rpartition(":")[2])
        raise UnknownLotError(
            f"No lot or serial number {name}{f' of part {part}' if part else ''} in the published data.",
            remedy=f"Similar: {', '.join(near)}." if near else "There is no similar number.",
        )
    if len(found) > 1:
        raise AmbiguousLotError(
            "\n".join([f"{name} is the number of lots or serials of {len(found)} parts:", *map(_described, found)]),
            remedy="Name one as PART:NUMBER.",
        )
    return found[0]["part"], found[0]["name"]


def read_gaps(connection: duckdb.DuckDBPyConnection, part: str, name: str) -> Gaps:
    """What the trees do not show of a lot or serial, which `named_lot` has found."""
    return Gaps(
        outside=tuple(rows_of(connection, _OUTSIDE, {"part": part, "name": name})),
        unread=unread_entities(connection),
        is_released_only=data_age(connection).is_released_only,
    )


def read_recall(connection: duckdb.DuckDBPyConnection, part: str, name: str) -> Recall:
    """All that contains a lot or serial, and how complete the answer is.

    Args:
        connection: A connection to the published file.
        part: The part number, as `named_lot` returns it.
        name: The lot or serial number, as `named_lot` returns it.
    """
    lot = {"part": part, "name": name}
    units = rows_of(connection, _UNITS, lot)
    places: dict[int, list[Row]] = {}
    for place in rows_of(connection, _PLACES, {**lot, "roots": [row["part_inventory_id"] for row in units]}):
        places.setdefault(place.pop("root_part_inventory_id"), []).append(place)
    gaps = read_gaps(connection, part, name)
    return Recall(
        part=part,
        name=name,
        pieces=tuple(rows_of(connection, _PIECE_ROWS, lot)),
        units=tuple({**row, "places": places.get(row["part_inventory_id"], [])} for row in units),
        outside=gaps.outside,
        unread=gaps.unread,
        is_released_only=gaps.is_released_only,
    )


def _described(row: Row) -> str:
    words = [
        f"  {row['part']}:{row['name']}",
        f"rev {', '.join(row['revisions'])}" if row["revisions"] else None,
        row["description"],
        f"{row['pieces']} piece{'s' if row['pieces'] > 1 else ''}",
        ", ".join(row["statuses"] or ()),
        ", ".join(row["locations"] or ()) or None,
    ]
    return "  ".join(word for word in words if word)
