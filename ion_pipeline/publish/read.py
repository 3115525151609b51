"""Questions about as-built units, asked of the published file and of nothing else.

Rows come as dictionaries under the names of the columns. What they look like on a screen is not known here.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.publish.errors import NotPublishedError
from ion_pipeline.publish.swap import DATABASE
from ion_pipeline.warehouse import Resources
from ion_pipeline.warehouse.connection import connect

Row = dict[str, Any]

_UNIT = "part_inventory_id, part_id, part_number, part_revision, serial_number, lot_number, status, location_path"
# A part that ION does not show (hidden from the key, or deleted) goes by its id, as in all trees.
_PART = "coalesce(part_number, 'part ' || part_id)"
_NAMED = f"""
select {_UNIT}
from reference.part_inventories
where
    '#' || part_inventory_id = $name
    or cast(part_inventory_id as varchar) = $name
    or $name in (serial_number, lot_number, {_PART} || ':' || serial_number, {_PART} || ':' || lot_number)
order by part_number, part_inventory_id
"""  # noqa: S608 -- column names, no values
_OF_PART = f"""
select {_UNIT}
from reference.part_inventories
where {_PART} = $part_number and $name in (serial_number, lot_number)
"""  # noqa: S608 -- column names, no values
_NEAR = f"""
with names as (
    select coalesce({_PART}, '#' || part_inventory_id) as part_number, unnest([serial_number, lot_number]) as name
    from reference.part_inventories
)

select part_number || ':' || name
from names
where name is not null
group by part_number, name
having greatest(
    jaro_winkler_similarity(lower(name), lower($name)),
    jaro_winkler_similarity(lower(part_number || ':' || name), lower($name))
) > 0.8
order by jaro_winkler_similarity(lower(name), lower($name)) desc, part_number, name
limit 5
"""  # noqa: S608 -- column names, no values
_MACROS = "select count(*) from duckdb_functions() where function_type = 'table_macro' and function_name = ?"
_TABLES = "select count(*) from duckdb_tables() where schema_name = 'genealogy' and table_name = ?"
_CANDIDATES = 20


def part_name(part_number: str | None, part_id: int | None = None) -> str:
    """What a person reads for a part.

    ION gives the id of a part that it does not show: one that is hidden from the key, or was deleted.
    """
    return part_number or ("unknown part" if part_id is None else f"part {part_id} (not shown)")


@dataclass(frozen=True, slots=True)
class Unit:
    """A serialised unit, a lot or untracked stock, with what a person calls it."""

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
        """Part number and revision, and what tells the unit from others of its part."""
        identity = (
            f"S/N {self.serial_number}"
            if self.serial_number
            else f"lot {self.lot_number}"
            if self.lot_number
            else f"#{self.part_inventory_id}"
        )
        part = part_name(self.part_number, self.part_id)
        return " ".join(text for text in (part, self.part_revision, identity) if text)


class UnknownUnitError(IonPipelineError):
    """No unit or lot goes by that name."""


class AmbiguousUnitError(SettingsError):
    """Several units go by that name."""


class Genealogy:
    """An open published file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self._path = path

    def unit(self, name: str) -> Unit:
        """The one unit of this name: a serial number, a lot number, either behind PART and a colon, or an id.

        Raises:
            UnknownUnitError: None has it; says what is spelt like it.
            AmbiguousUnitError: Several have it; says which.
        """
        found = [Unit(**row) for row in self._rows(_NAMED, {"name": name})]
        if not found:
            raise self._unknown(name, f"No serial number, lot number or id {name}")
        if len(found) > 1:
            listed = [f"  #{unit.part_inventory_id}  {unit.label}  {unit.status or ''}" for unit in found[:_CANDIDATES]]
            more = [f"  and {len(found) - _CANDIDATES} more"] if len(found) > _CANDIDATES else []
            raise AmbiguousUnitError(
                "\n".join([f"{name} is the name of {len(found)} units:", *listed, *more]),
                remedy="Say which by PART:NAME or by its id with the # (in quotes); `abom recall PART LOT` takes a lot "
                "with all that was split off it.",
            )
        return found[0]

    def tree(self, unit: Unit) -> list[Row]:
        """The unit as it is now: rows of `abom_hierarchy` in printing order."""
        return self._rows("from abom_explode($unit)", {"unit": unit.part_inventory_id})

    def tree_as_of(self, unit: Unit, instant: datetime) -> list[Row]:
        """The unit as it stood at an instant.

        Raises:
            UnknownUnitError: Nothing is known of the unit at that instant.
        """
        self._require(_MACROS, "abom_as_of")
        rows = self._rows(
            "from abom_as_of($unit, cast($instant as timestamptz))",
            {"unit": unit.part_inventory_id, "instant": instant.isoformat()},
        )
        if not rows:
            raise UnknownUnitError(
                f"Nothing is known of {unit.label} at {instant:%Y-%m-%d %H:%M:%S} UTC.",
                remedy="History begins with the first load; ops.history_start says when that was.",
            )
        return rows

    def where_used(self, unit: Unit) -> list[Row]:
        """All that the unit is in: rows of `abom_where_used`, the nearest first."""
        return self._rows("from where_used($unit)", {"unit": unit.part_inventory_id})

    def compare(self, one: Unit, other: Unit) -> list[Row]:
        """The lines in which two units differ, at every level."""
        return self._rows(
            "from abom_compare($one, $other)", {"one": one.part_inventory_id, "other": other.part_inventory_id}
        )

    def compare_as_of(self, unit: Unit, before: datetime, after: datetime) -> list[Row]:
        """The lines in which a unit at one instant differs from itself at another."""
        self._require(_MACROS, "abom_compare_as_of")
        return self._rows(
            "from abom_compare_as_of($unit, cast($before as timestamptz), cast($after as timestamptz))",
            {"unit": unit.part_inventory_id, "before": before.isoformat(), "after": after.isoformat()},
        )

    def conformance(self, unit: Unit) -> list[Row]:
        """The unit against the plan it was started with: rows of `abom_conformance`."""
        self._require(_TABLES, "abom_conformance")
        return self._rows(
            "from genealogy.abom_conformance where part_inventory_id = $unit order by part_number, line_key",
            {"unit": unit.part_inventory_id},
        )

    def recall(self, part_number: str, lot_or_serial: str) -> list[Row]:
        """The top-level units that contain a lot or serial, or what was split off it.

        Raises:
            UnknownUnitError: There is no such lot or serial of that part.
        """
        named = {"part_number": part_number, "name": lot_or_serial}
        if not self._rows(_OF_PART, named):
            raise self._unknown(lot_or_serial, f"No lot or serial number {lot_or_serial} of part {part_number}")
        return self._rows("from recall($part_number, $name)", named)

    def _rows(self, sql: str, parameters: dict[str, Any]) -> list[Row]:
        cursor = self._connection.execute(sql, parameters)
        columns = [column[0] for column in cursor.description or ()]
        return [dict(zip(columns, values, strict=True)) for values in cursor.fetchall()]

    def _require(self, sql: str, name: str) -> None:
        row = self._connection.execute(sql, [name]).fetchone()
        if not row or not row[0]:
            raise NotPublishedError(
                f"{self._path} was published without {name}.", remedy="Build and publish again: `ion-pipeline refresh`."
            )

    def _unknown(self, name: str, message: str) -> UnknownUnitError:
        near = [row[0] for row in self._connection.execute(_NEAR, {"name": name}).fetchall()]
        return UnknownUnitError(
            f"{message} in reference.part_inventories of {self._path}.",
            remedy=f"Spelt like it: {', '.join(near)}." if near else "Nothing there is spelt like it.",
        )


def published_database(published_dir: Path) -> Path:
    """The file that analysts open, whether it is there or not."""
    return published_dir / DATABASE


@contextmanager
def open_published(
    published_dir: Path, resources: Resources | None = None
) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    """Open the published file read-only, and say which it is.

    Raises:
        NotPublishedError: There is none.
    """
    path = published_database(published_dir)
    if not path.is_file():
        raise NotPublishedError(
            f"Nothing has been published at {path}.",
            remedy="Run `ion-pipeline refresh` first, or name another --data-dir or --environment.",
        )
    with connect(path, resources, read_only=True) as connection:
        yield connection, path


@contextmanager
def open_genealogy(published_dir: Path, resources: Resources | None = None) -> Iterator[Genealogy]:
    """Open the published file for questions about units.

    Raises:
        NotPublishedError: There is none.
    """
    with open_published(published_dir, resources) as (connection, path):
        yield Genealogy(connection, path)
