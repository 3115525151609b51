"""Says which rows of a model a change affects: the keys `rows_by` and `affected_by` of a model's `meta`.

    config:
      meta:
        rows_by: run_step_id
        affected_by:
          stg_ion__run_step_fields: run_step_id
          stg_ion__runs: {run_id: stg_ion__run_steps.run_id}
          stg_ion__users: {user_id: step_results.recorded_by_id}
          stg_ion__datagrid_rows:
            datagrid_row_id: stg_ion__datagrid_values.row_id > column_id > stg_ion__datagrid_columns.datagrid_column_id

Rows with the same value of `rows_by` are replaced together. The example says:

- A row depends on no other rows of `stg_ion__run_step_fields` than those with its own `run_step_id`.
- A row depends on no other runs than those of the `stg_ion__run_steps` with its own `run_step_id`.
- If a user changes, the rows that have the user in this model itself, `step_results`, may change. What a row has there
  must come from other tables than the users.
- If a row of a grid changes, the rows of the steps may change that its columns name: the columns of the values in it.

If a table that is not named changes, the model is built from all rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ROWS_BY, AFFECTED_BY = "rows_by", "affected_by"


@dataclass(frozen=True, slots=True)
class Link:
    """A table that links rows of two others.

    Attributes:
        table: Name of the model.
        column: Its column with values of the table before.
        next_column: Its column with values of the table after.
    """

    table: str
    column: str
    next_column: str


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds the affected keys of changed rows in another table.

    Attributes:
        column: Column of the changed rows.
        table: Name of the model that has such values next to those of `rows_by`.
        table_column: Its column.
        link: The table that links the changed rows with that model; None if the values are in both.
    """

    column: str
    table: str
    table_column: str
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class RowRule:
    """Which rows of a model a change affects.

    Attributes:
        rows_by: The column by which rows are replaced.
        columns: For each upstream table: its columns whose values are those of `rows_by`.
        lookups: For each upstream table without such a column: how the affected rows are found.
    """

    rows_by: str
    columns: Mapping[str, tuple[str, ...]]
    lookups: Mapping[str, tuple[Lookup, ...]]

    def limited_by_lookups(self) -> list[str]:
        """The upstream tables with only lookups of which a key needs only the rows that its own rows there name."""
        return [
            name
            for name, found in self.lookups.items()
            if all(one.table in self.columns and one.link is None for one in found)
        ]

    def names(self, table: str) -> bool:
        """Whether the rule says what a change of this upstream table affects."""
        return table in self.columns or table in self.lookups


def row_rule(meta: Mapping[str, Any]) -> RowRule | None:
    """The rule in the `meta` of a model; None if every change affects all of its rows.

    Raises:
        ValueError: The keys do not have the form of the example.
    """
    if ROWS_BY not in meta and AFFECTED_BY not in meta:
        return None
    rows_by, affected_by = meta.get(ROWS_BY), meta.get(AFFECTED_BY)
    if not (isinstance(rows_by, str) and isinstance(affected_by, Mapping) and affected_by):
        raise ValueError(f"{ROWS_BY} must name a column, and {AFFECTED_BY} the upstream tables.")
    columns: dict[str, tuple[str, ...]] = {}
    lookups: dict[str, tuple[Lookup, ...]] = {}
    for table, how in affected_by.items():
        if isinstance(how, Mapping):
            lookups[table] = tuple(
                _lookup(table, column, place) for column, places in how.items() for place in _listed(places)
            )
        elif how and all(isinstance(one, str) for one in _listed(how)):
            columns[table] = tuple(_listed(how))
        else:
            raise ValueError(f"{AFFECTED_BY}: {table} must have a column, a list of columns, or columns with a place.")
    return RowRule(rows_by, columns, lookups)


def _listed(how: object) -> list[Any]:
    return how if isinstance(how, list) else [how]


def _lookup(table: str, column: str, place: object) -> Lookup:
    match [part.split(".") for part in str(place).split(" > ")]:
        case [[other, other_column]]:
            return Lookup(column, other, other_column)
        case [[linking, linking_column], [next_column], [other, other_column]]:
            return Lookup(column, other, other_column, Link(linking, linking_column, next_column))
    raise ValueError(f"{AFFECTED_BY}: {table}.{column} must have a place such as stg_ion__run_steps.run_id.")
