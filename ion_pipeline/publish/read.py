"""Queries about as-built units, against the published file only.

Rows are returned as dictionaries by column name. Formatting them for a terminal is not part of this module.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.publish.conformance import Conformance, is_cut_off, read_conformance
from ion_pipeline.publish.containment import DataAge, Recall, data_age, named_lot, read_recall
from ion_pipeline.publish.errors import NotPublishedError
from ion_pipeline.publish.query import Row, rows_of, similar
from ion_pipeline.publish.swap import DATABASE
from ion_pipeline.warehouse import Resources
from ion_pipeline.warehouse.connection import connect

_UNIT = "part_inventory_id, part_id, part_number, part_revision, serial_number, lot_number, status, location_path"
# A part that ION does not show (hidden from the key, or deleted) is named by its id, as in all trees.
_PART = "coalesce(part_number, 'part ' || part_id)"
_NAMED = f"""
select {_UNIT}
from reference.part_inventories
where
    '#' || part_inventory_id = $name
    or cast(part_inventory_id as varchar) = $name
    or lower($name) in (
        lower(serial_number), lower(lot_number), lower({_PART} || ':' || serial_number),
        lower({_PART} || ':' || lot_number)
    )
order by part_number, part_inventory_id
"""  # noqa: S608 -- column names, no values
_WHERE_USED = """
with recursive pieces as (
    select unnest($units) as part_inventory_id
    union
    select split.part_inventory_id
    from pieces
    inner join reference.part_inventories as split
        on $with_splits and pieces.part_inventory_id = split.origin_part_inventory_id
)

select used.*, not list_contains($units, used.component_part_inventory_id) as is_of_split
from genealogy.abom_where_used as used
inner join pieces on used.component_part_inventory_id = pieces.part_inventory_id
order by
    used.min_depth, used.ancestor_part_number, used.ancestor_serial_number, used.ancestor_part_inventory_id,
    used.component_part_inventory_id
"""
_SPELLINGS = f"""
with names as (
    select coalesce({_PART}, '#' || part_inventory_id) as part_number, unnest([serial_number, lot_number]) as name
    from reference.part_inventories
)

select part_number || ':' || name as label, unnest([name, part_number || ':' || name]) as spelling
from names
where name is not null
"""  # noqa: S608 -- column names, no values
_MACROS = "select count(*) from duckdb_functions() where function_type = 'table_macro' and function_name = ?"
_TABLES = "select count(*) from duckdb_tables() where schema_name = 'genealogy' and table_name = ?"
_TABLES_OF_OPS = "select count(*) from duckdb_tables() where schema_name = 'ops' and table_name = ?"
_CANDIDATES = 20


def part_name(part_number: str | None, part_id: int | None = None) -> str:
    """The name to display for a part.

    It is the id if ION returns only that: for a part that is hidden from the key or was deleted.
    """
    return part_number or ("unknown part" if part_id is None else f"part {part_id} (not shown)")


def identity(serial_number: str | None, lot_number: str | None, part_inventory_id: int) -> str:
    """What distinguishes a unit from others of its part: its serial number, its lot number, or else its id."""
    if serial_number:
        return f"S/N {serial_number}"
    return f"lot {lot_number}" if lot_number else f"#{part_inventory_id}"


@dataclass(frozen=True, slots=True)
class Unit:
    """A serialised unit, a lot or untracked stock, with the names that identify it."""

    part_inventory_id: int
    part_id: int | None
    part_number: str | None
    part_revision: str | None
    serial_number: str | None
    lot_number: str | None
    status: str | None
    location_path: str | None

    @property
    def label(self) -> str:
        """Part number and revision, and the serial number, lot number or id of the unit."""
        part = part_name(self.part_number, self.part_id)
        own = identity(self.serial_number, self.lot_number, self.part_inventory_id)
        return " ".join(text for text in (part, self.part_revision, own) if text)


class UnknownUnitError(IonPipelineError):
    """No unit or lot has that name."""


class AmbiguousUnitError(SettingsError):
    """Several units have that name."""


class Genealogy:
    """An open published file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def unit(self, name: str) -> Unit:
        """The unit with this name: a serial or lot number, `PART:` followed by one of them, or an id.

        Raises:
            UnknownUnitError: No unit has the name; the message suggests similar names.
            AmbiguousUnitError: Several units have the name; the message lists them.
        """
        found = self._named(name)
        if len(found) > 1:
            raise _ambiguous(name, found)
        return found[0]

    def pieces(self, name: str) -> list[Unit]:
        """The units with this name, if they are pieces of one lot: of one part, with the same numbers.

        Raises:
            UnknownUnitError: No unit has the name; the message suggests similar names.
            AmbiguousUnitError: Different units have the name; the message lists them.
        """
        found = self._named(name)
        if len({(unit.part_id, unit.serial_number, unit.lot_number) for unit in found}) > 1:
            raise _ambiguous(name, found)
        return found

    def age(self) -> DataAge:
        """Whose data this is, and when it was read."""
        self._require(_TABLES_OF_OPS, "loads")
        return data_age(self._connection)

    def tree(self, unit: Unit) -> list[Row]:
        """The current as-built tree of a unit: rows of `abom_hierarchy` in display order."""
        return self._rows("from abom_explode($unit)", {"unit": unit.part_inventory_id})

    def tree_as_of(self, unit: Unit, instant: datetime) -> list[Row]:
        """The as-built tree of a unit at an instant.

        Raises:
            UnknownUnitError: There is no data about the unit at that instant.
        """
        self._require(_MACROS, "abom_as_of")
        rows = self._rows(
            "from abom_as_of($unit, cast($instant as timestamptz))",
            {"unit": unit.part_inventory_id, "instant": instant.isoformat()},
        )
        if not rows:
            raise UnknownUnitError(
                f"There is no data about {unit.label} at {instant:%Y-%m-%d %H:%M:%S} UTC.",
                remedy="History begins with the first load; ops.history_start holds its time.",
            )
        return rows

    def where_used(self, pieces: Sequence[Unit], *, with_splits: bool = True) -> list[Row]:
        """The assemblies that contain one of the pieces: rows of `abom_where_used`, the innermost first.

        Args:
            pieces: Units, or the pieces of one lot.
            with_splits: Whether to include what contains something that was split off a piece; `is_of_split` says so.
        """
        units = [unit.part_inventory_id for unit in pieces]
        return self._rows(_WHERE_USED, {"units": units, "with_splits": with_splits})

    def compare(self, one: Unit, other: Unit) -> list[Row]:
        """The lines in which two units differ, at all levels."""
        return self._rows(
            "from abom_compare($one, $other)", {"one": one.part_inventory_id, "other": other.part_inventory_id}
        )

    def compare_as_of(self, unit: Unit, before: datetime, after: datetime) -> list[Row]:
        """The lines in which a unit differs between two instants."""
        self._require(_MACROS, "abom_compare_as_of")
        return self._rows(
            "from abom_compare_as_of($unit, cast($before as timestamptz), cast($after as timestamptz))",
            {"unit": unit.part_inventory_id, "before": before.isoformat(), "after": after.isoformat()},
        )

    def is_cut_off(self, units: Sequence[Unit]) -> bool:
        """Whether something is installed in one of the units that is in no tree with it, and so in no comparison."""
        return is_cut_off(self._connection, [unit.part_inventory_id for unit in units])

    def conformance(self, unit: Unit, levels: int | None = None) -> Conformance:
        """A unit, and the units in it, compared with the plans that they were started with; all levels if None."""
        self._require(_TABLES, "abom_conformance")
        return read_conformance(self._connection, unit.part_inventory_id, levels)

    def recall(self, lot_or_serial: str, part_number: str | None = None) -> tuple[Recall, list[Row]]:
        """What contains a lot or serial number, or something split off it: how complete that is, and its trees.

        Raises:
            UnknownLotError: There is no such lot or serial number.
            AmbiguousLotError: Several parts have one.
        """
        part, name = named_lot(self._connection, lot_or_serial, part_number)
        rows = self._rows("from recall($part_number, $name) where is_in_tree", {"part_number": part, "name": name})
        return read_recall(self._connection, part, name), rows

    def _named(self, name: str) -> list[Unit]:
        """Units of this name; those whose number is written exactly so, if there are any."""
        found = [Unit(**row) for row in self._rows(_NAMED, {"name": name})]
        if not found:
            raise self._unknown(name, f"No serial number, lot number or id {name}")
        number = name.rpartition(":")[2]
        return [unit for unit in found if number in (unit.serial_number, unit.lot_number)] or found

    def _rows(self, sql: str, parameters: dict[str, Any]) -> list[Row]:
        return rows_of(self._connection, sql, parameters)

    def _require(self, sql: str, name: str) -> None:
        row = self._connection.execute(sql, [name]).fetchone()
        if not row or not row[0]:
            raise NotPublishedError(
                f"{self._path} was published without {name}.",
                remedy="Run `ion-pipeline refresh` to build and publish again.",
            )

    def _unknown(self, name: str, message: str) -> UnknownUnitError:
        near = similar(self._connection, _SPELLINGS, name)
        return UnknownUnitError(
            f"{message} in reference.part_inventories of {self._path}.",
            remedy=f"Similar names: {', '.join(near)}." if near else "There is no similar name.",
        )


def _ambiguous(name: str, found: Sequence[Unit]) -> AmbiguousUnitError:
    listed = [
        "  ".join(filter(None, (f"  #{unit.part_inventory_id}", unit.label, unit.status, unit.location_path)))
        for unit in found[:_CANDIDATES]
    ]
    more = [f"  and {len(found) - _CANDIDATES} more"] if len(found) > _CANDIDATES else []
    return AmbiguousUnitError(
        "\n".join([f"{name} is the name of {len(found)} units:", *listed, *more]),
        remedy="Name one unit by PART:NAME or by its id with the # (in quotes). `abom recall LOT` covers a lot and "
        "everything that was split off it.",
    )


def published_database(published_dir: Path) -> Path:
    """Path of the database file that analysts open, whether it exists or not."""
    return published_dir / DATABASE


@contextmanager
def open_published(
    published_dir: Path, resources: Resources | None = None
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Open the published file read-only.

    Returns:
        The connection and the path of the file.

    Raises:
        NotPublishedError: There is no published file.
    """
    path = published_database(published_dir)
    if not path.is_file():
        raise NotPublishedError(
            f"Nothing has been published at {path}.",
            remedy="Run `ion-pipeline refresh` first, or use another --data-dir or --environment.",
        )
    with connect(path, resources, read_only=True) as connection:
        yield connection, path


@contextmanager
def open_genealogy(published_dir: Path, resources: Resources | None = None) -> Iterator[Genealogy]:
    """Open the published file for queries about units.

    Raises:
        NotPublishedError: There is no published file.
    """
    with open_published(published_dir, resources) as (connection, path):
        yield Genealogy(connection, path)
