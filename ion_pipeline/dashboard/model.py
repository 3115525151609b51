"""What a dashboard is made of. Superset's format of it is written by `documents`."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure that adds up the rows of a dataset, by whatever they are grouped.

    Attributes:
        name: Its name in charts.
        sql: The expression, in SQL that both DuckDB and PostgreSQL understand.
        says: What it is.
        shown_as: Format of d3, such as `.1%`.
    """

    name: str
    sql: str
    says: str
    shown_as: str = ",d"


@dataclass(frozen=True, slots=True)
class Dataset:
    """A published table, or a query over published tables.

    Attributes:
        schema: The public schema.
        name: Name of the table, or of the query.
        metrics: Its figures.
        day: The column that a range of time selects by.
        query: The query, where it is no table.
        computed: Columns that are computed from others, by name.
    """

    schema: str
    name: str
    metrics: tuple[Metric, ...] = ()
    day: str | None = None
    query: str | None = None
    computed: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart.

    Attributes:
        title: What it answers.
        dataset: Where its rows come from.
        kind: Superset's name of the type of chart.
        metrics: Names of its metrics; none for a list of rows.
        by: Columns that rows are grouped by, or that are listed.
        axis: The column of the horizontal axis; rows are grouped by it too.
        grain: Length of a period on the axis, in ISO 8601.
        where: Condition on the rows.
        order: Column or metric to sort by, and whether ascending.
        rows: Rows to show at most.
        options: Further settings of this type of chart.
        width: Columns of twelve.
        height: In units of eight pixels.
    """

    title: str
    dataset: Dataset
    kind: str
    metrics: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    axis: str | None = None
    grain: str | None = None
    where: str | None = None
    order: tuple[str, bool] | None = None
    rows: int = 1000
    options: tuple[tuple[str, object], ...] = ()
    width: int = 6
    height: int = 48


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader chooses above a tab.

    Attributes:
        name: Its name.
        dataset: Where the values come from; charts of other datasets are filtered by the column of the same name.
        column: The column; None for a range of time.
        one_by: The reader always has one value, at first the one with the largest value of this metric.
    """

    name: str
    dataset: Dataset | None = None
    column: str | None = None
    one_by: str | None = None


@dataclass(frozen=True, slots=True)
class Tab:
    """A tab: charts in rows, beneath a sentence."""

    title: str
    says: str
    rows: tuple[tuple[Chart, ...], ...]
    filters: tuple[Filter, ...] = ()
