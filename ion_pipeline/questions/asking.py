"""Asks a named question of the published file: finds what its parameters name, binds them and returns all rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.publish.containment import data_age, named_lot, read_gaps
from ion_pipeline.publish.errors import NotPublishedError
from ion_pipeline.publish.query import similar
from ion_pipeline.publish.read import Genealogy
from ion_pipeline.questions import Kind, Parameter, Question

# Where a name of this kind is looked up, in any case: a typing error is no empty answer.
_KNOWN: dict[Kind, tuple[str, str]] = {
    "product": ("reference.parts", "part_number"),
    "supplier": ("reference.suppliers", "supplier_name"),
}


class UnknownNameError(IonPipelineError):
    """No part or supplier has that name."""


class AmbiguousNameError(SettingsError):
    """Several parts or suppliers have that name, in different spellings."""


@dataclass(frozen=True, slots=True)
class Answer:
    """All rows of an answer.

    Attributes:
        columns: Names of the columns.
        rows: The rows.
        bound: What the parameters were found to mean.
        warnings: What is missing from the answer.
        read_at: When the data was read from ION; None if nothing was loaded.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    bound: dict[str, Any]
    warnings: tuple[str, ...]
    read_at: datetime | None


def ask(
    connection: duckdb.DuckDBPyConnection, path: Path, question: Question, given: Mapping[str, str | None]
) -> Answer:
    """Ask a question.

    Args:
        connection: A connection to the published file.
        path: The published file, for messages.
        question: What to ask.
        given: Values of the parameters, as a person writes them; None for one that is left out.

    Raises:
        UnknownUnitError: No unit has a name.
        AmbiguousUnitError: Several units have a name.
        UnknownLotError: There is no such lot or serial.
        AmbiguousLotError: Several parts have such a lot or serial.
        UnknownNameError: No part or supplier has a name.
        AmbiguousNameError: Parts or suppliers of several spellings have a name.
        SettingsError: A month is not written as 2026-10, or as last.
        NotPublishedError: The file was published without a table that the question reads.
    """
    bound: dict[str, Any] = {}
    warnings: tuple[str, ...] = ()
    for parameter in question.parameters:
        value = given.get(parameter.name)
        if value is None or parameter.kind == "part":
            continue
        if parameter.kind == "lot":
            bound["part"], bound[parameter.name] = named_lot(connection, value, given.get("part"))
            warnings = read_gaps(connection, bound["part"], bound[parameter.name]).warnings
        else:
            bound[parameter.name] = _value(Genealogy(connection, path), connection, parameter, value)
    try:
        cursor = connection.execute(question.select(bound), bound)
    except duckdb.CatalogException as error:
        raise NotPublishedError(
            f"{path} was published without a table that this question reads.",
            remedy="Build and publish again: `ion-pipeline refresh`.",
        ) from error
    columns = tuple(column[0] for column in cursor.description or ())
    return Answer(columns, tuple(cursor.fetchall()), bound, warnings, data_age(connection).read_at)


def _value(genealogy: Genealogy, connection: duckdb.DuckDBPyConnection, parameter: Parameter, value: str) -> Any:
    if parameter.kind == "unit":
        return genealogy.unit(value).part_inventory_id
    if parameter.kind == "month":
        return named_month(value, datetime.now(UTC).date())
    return _known(connection, parameter, value)


def named_month(value: str, today: date) -> date:
    """The first day of a month that is written as 2026-10, or as `last`: the one before that of today.

    Raises:
        SettingsError: It is written in another way.
    """
    if value.lower() == "last":
        return (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    try:
        return date.fromisoformat(f"{value}-01")
    except ValueError as error:
        raise SettingsError(f"{value} is not a month.", remedy="Write it as 2026-10, or last.") from error


def _known(connection: duckdb.DuckDBPyConnection, parameter: Parameter, value: str) -> str:
    table, column = _KNOWN[parameter.kind]
    names = [
        row[0]
        for row in connection.execute(
            f"select distinct {column} from {table} where lower({column}) = lower($name) order by 1",  # noqa: S608
            {"name": value.strip()},
        ).fetchall()
    ]
    if value in names or len(names) == 1:
        return value if value in names else str(names[0])
    if names:
        raise AmbiguousNameError(
            f"{value} is the name of {len(names)}: {', '.join(names)}.", remedy="Write one of them exactly."
        )
    near = similar(connection, f"select {column} as label, {column} as spelling from {table}", value)  # noqa: S608
    raise UnknownNameError(
        f"No {column.replace('_', ' ')} {value} in {table} of the published file.",
        remedy=f"Similar: {', '.join(near)}." if near else "There is no similar name.",
    )
