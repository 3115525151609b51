"""Which files belong to a unit, an issue or a run, against the published file only.

ION keeps a file at its owner, in a list or in one column. `LISTS`, `FIELDS` and `COLUMNS` name every place, and
`tests/contract/test_attachments.py` compares them with ION's schema. The published file has no links: a link is a
credential, and ION gives it when it is asked for one file.
"""
# ruff: noqa: S608 -- names of tables and columns, no values

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ion_pipeline.errors import IonPipelineError
from ion_pipeline.publish.errors import NotPublishedError
from ion_pipeline.publish.read import Genealogy, open_published
from ion_pipeline.warehouse import Resources

#: Lists of files: table → column with the id of the owner. They have the file's name.
LISTS = {
    **{
        f"{owner}_file_attachments": f"{owner}_id"
        for owner in (
            "issue", "part", "part_inventory", "part_kit", "part_kit_item", "plan", "purchase_order", "receipt", "run",
            "run_step", "supplier",
        )
    },
    "run_step_assets": "run_step_id",
    "step_assets": "step_id",
}  # fmt: skip
#: Owners of custom attributes, whose value may be a file.
ATTRIBUTES = (
    "issue", "location", "mbom", "part", "part_inventory", "part_kit", "part_kit_item", "procedure", "purchase_order",
    "purchase_order_line", "receipt", "run", "run_step", "step", "supplier",
)  # fmt: skip
#: Columns with the id of a file: (table, column) → (column with the id of the owner, what the file is to it).
COLUMNS = {
    **{(f"{owner}_attributes", "file_attachment_id"): (f"{owner}_id", "attribute_key") for owner in ATTRIBUTES},
    ("run_step_fields", "file_attachment_id"): ("run_step_id", "run_step_field_name"),
    ("barcode_labels", "label_preview_id"): ("barcode_label_id", "'preview'"),
    ("locations", "image_id"): ("location_id", "'image'"),
    ("parts", "thumbnail_id"): ("part_id", "'thumbnail'"),
    ("run_steps", "pdf_asset_id"): ("run_step_id", "'pdf'"),
    ("steps", "pdf_asset_id"): ("step_id", "'pdf'"),
}
#: A cell of a data grid, whose row belongs to a step of a run or of a procedure.
CELLS = ("datagrid_values", "datagrid_rows")

_CELL = """
select
    datagrid_values.file_attachment_id, null as filename, null as etag,
    if(datagrid_rows.run_step_id is null, 'step', 'run_step') as owner,
    coalesce(datagrid_rows.run_step_id, datagrid_rows.step_id) as owner_id,
    'datagrid' as field
from ion.datagrid_values
inner join ion.datagrid_rows on datagrid_values.row_id = datagrid_rows.datagrid_row_id
where datagrid_values.file_attachment_id is not null
"""
# What belongs to the chosen units, runs and issues: their own files, those of the steps of the runs, those of the
# issues and of the receipts that the units came with.
_OWNERS = """
with units as (select unnest($units::bigint[]) as part_inventory_id),

runs as (
    select unnest($runs::bigint[]) as run_id
    union
    select runs.run_id from ion.runs where runs.part_inventory_id in (from units)
    union
    select made.run_id from ion.run_origin_part_inventories as made where made.part_inventory_id in (from units)
),

issues as (
    select unnest($issues::bigint[]) as issue_id
    union
    select issue_units.issue_id from quality.issue_units where issue_units.part_inventory_id in (from units)
),

owners as (
    select 'part_inventory' as owner, part_inventory_id as owner_id from units
    union
    select 'run', run_id from runs
    union
    select 'run_step', run_step_id from ion.run_steps where run_id in (from runs)
    union
    select 'issue', issue_id from issues
    union
    select 'receipt', receipt_id from ion.receipt_items where part_inventory_id in (from units)
)
"""
_FOUND = """
select
    files.file_attachment_id,
    max(files.filename) as filename,
    max(files.etag) as etag,
    list_sort(list(distinct concat_ws(' ', files.owner, files.owner_id, files.field))) as owners
from files
{chosen}
group by files.file_attachment_id
order by files.file_attachment_id
"""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file in ION.

    Attributes:
        file_attachment_id: ION's id.
        filename: Its name; None if only its id is published, as for a file in a field of a step.
        etag: ION's version of it; None if only its id is published.
        owners: What it belongs to: type, id and, for a field, its name ("run_step 12 Torque report").
    """

    file_attachment_id: int
    filename: str | None
    etag: str | None
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Whose files are wanted. What is named is added up.

    Attributes:
        units: Names of units and lots, as in `Genealogy.unit`.
        with_components: Whether the files of everything installed in the units are wanted too.
        runs: Ids of runs.
        issues: Ids of issues.
        ids: Ids of files.
        every: Whether all files are wanted.
    """

    units: Sequence[str] = ()
    with_components: bool = False
    runs: Sequence[int] = ()
    issues: Sequence[int] = ()
    ids: Sequence[int] = ()
    every: bool = False


class UnknownOwnerError(IonPipelineError):
    """There is no issue, run or file with that id."""


class Attachments:
    """The files that an open published file names."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self._genealogy = Genealogy(connection, path)

    def chosen(self, choice: Choice) -> list[Attachment]:
        """The files of a choice, each once, by id.

        Raises:
            UnknownUnitError: No unit has one of the names.
            AmbiguousUnitError: Several units have one of the names.
            UnknownOwnerError: There is no such issue, run or file.
            NotPublishedError: The file was published without the tables that name files.
        """
        self._require_tables()
        units = [self._genealogy.unit(name).part_inventory_id for name in choice.units]
        if choice.with_components:
            units += self._components(units)
        self._require("run", choice.runs)
        self._require("issue", choice.issues)
        parameters = {"units": units, "runs": list(choice.runs), "issues": list(choice.issues)}
        condition, numbers = "", {}
        if not choice.every:
            condition = (
                "where (files.owner, files.owner_id) in (from owners) or list_contains($ids, files.file_attachment_id)"
            )
            numbers = {"ids": list(choice.ids)}
        each = " union all ".join((*_list_queries(), *_column_queries(), _CELL))
        sql = f"{_OWNERS}, files as ({each}) {_FOUND.format(chosen=condition)}"
        rows = self._connection.execute(sql, parameters | numbers).fetchall()
        found = [Attachment(number, name, etag, tuple(owners)) for number, name, etag, owners in rows]
        self._complain(set(choice.ids) - {file.file_attachment_id for file in found}, "file")
        return found

    def _components(self, units: Sequence[int]) -> list[int]:
        rows = self._connection.execute(
            "select distinct part_inventory_id from genealogy.abom_hierarchy "
            "where list_contains($units::bigint[], root_part_inventory_id) and part_inventory_id is not null",
            {"units": list(units)},
        ).fetchall()
        return [number for (number,) in rows]

    def _require(self, kind: str, numbers: Sequence[int]) -> None:
        known = self._connection.execute(
            f"select {kind}_id from ion.{kind}s where list_contains($numbers::bigint[], {kind}_id)",
            {"numbers": list(numbers)},
        ).fetchall()
        self._complain(set(numbers) - {number for (number,) in known}, kind)

    def _complain(self, missing: set[int], what: str) -> None:
        if missing:
            listed = ", ".join(map(str, sorted(missing)))
            raise UnknownOwnerError(
                f"There is no {what} with the id {listed} in {self._path}.",
                remedy="Use ION's ids, as the published tables have them; `ion-pipeline refresh` publishes new rows.",
            )

    def _require_tables(self) -> None:
        needed = {*LISTS, *(table for table, _ in COLUMNS), *CELLS}
        rows = self._connection.execute("select table_name from duckdb_tables()").fetchall()
        missing = sorted(needed - {name for (name,) in rows})
        if missing:
            raise NotPublishedError(
                f"{self._path} was published without ion.{missing[0]}.",
                remedy="Run `ion-pipeline refresh` to build and publish again.",
            )


@contextmanager
def open_attachments(published_dir: Path, resources: Resources | None = None) -> Iterator[Attachments]:
    """Open the published file for queries about files.

    Raises:
        NotPublishedError: There is no published file.
    """
    with open_published(published_dir, resources) as (connection, path):
        yield Attachments(connection, path)


def _list_queries() -> Iterator[str]:
    for table, owner in LISTS.items():
        yield (
            f"select file_attachment_id, filename, etag, '{owner.removesuffix('_id')}' as owner, {owner} as owner_id, "
            f"null as field from ion.{table}"
        )


def _column_queries() -> Iterator[str]:
    for (table, column), (owner, field) in COLUMNS.items():
        yield (
            f"select {column} as file_attachment_id, null as filename, null as etag, "
            f"'{owner.removesuffix('_id')}' as owner, {owner} as owner_id, {field} as field "
            f"from ion.{table} where {column} is not null"
        )
