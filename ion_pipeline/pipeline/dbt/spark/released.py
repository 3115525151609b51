"""Views of `raw` and `raw_history` without the rows under export control, in Spark's SQL.

`warehouse.export_control` has the same views for DuckDB. Both read the keys of the controlled rows in `raw_controlled`,
which are found in the warehouse.
"""
# ruff: noqa: S608 -- names come from the catalog and are quoted

from collections.abc import Iterator, Sequence

from ion_pipeline.catalog.references import References, WeakReference
from ion_pipeline.pipeline.dbt.spark.request import LakeTable
from ion_pipeline.warehouse import CONTROLLED, RELEASED, RELEASED_HISTORY

_VIEWS = (("raw", RELEASED, ()), ("raw_history", RELEASED_HISTORY, ("valid_from",)))


def released_views(tables: Sequence[LakeTable], references: References) -> Iterator[tuple[str, str]]:
    """Yield `schema.table` and query of each view.

    Args:
        tables: The tables of `raw`.
        references: The references that were followed to find the controlled rows.
    """
    for table in tables:
        weak = [one for one in references.weak if one.table == table.name]
        for source, target, version in _VIEWS:
            query = _without_references(f"{source}.`{table.name}`", [*table.key, *version], weak)
            if table.name in references.tables:
                query += (
                    f" where not exists (select 1 from {CONTROLLED}.`{table.name}` as left_out where {_is_same(table)})"
                )
            yield f"{target}.`{table.name}`", query


def _is_same(table: LakeTable) -> str:
    """SQL of whether a row of the alias `rows` is the controlled one of the alias `left_out`."""
    first, *more = table.key
    is_number = table.columns[first] in {"bigint", "int"}
    if is_number and not more:
        return f"left_out.id = rows.`{first}`"
    parts = ", ".join(f"coalesce(cast(rows.`{name}` as string), '')" for name in table.key)
    same_id = f"left_out.id <=> rows.`{first}`" if is_number else "left_out.id is null"
    return f"{same_id} and left_out.row_key = concat_ws(chr(31), {parts})"


def _without_references(source: str, key: Sequence[str], weak: Sequence[WeakReference]) -> str:
    """A query of all rows of the alias `rows`, with their weak references to controlled rows removed."""
    values, joins = [], []
    for one in weak:
        controlled = f"select controlled.id from {CONTROLLED}.`{one.target}` as controlled"
        column, kept = f"rows.`{one.column}`", f"`kept_{one.column}`"
        if one.is_list:
            names = ", ".join(f"`{name}`" for name in key)
            same = " and ".join(f"{kept}.`{name}` <=> rows.`{name}`" for name in key)
            joins.append(
                f" left join (select {names}, "
                "transform(array_sort(collect_list(struct(place, one))), pair -> pair.one) as kept "
                f"from (select {names}, posexplode(`{one.column}`) as (place, one) from {source}) as named "
                f"left anti join {CONTROLLED}.`{one.target}` as controlled on named.one = controlled.id "
                f"group by {names}) as {kept} on {same}"
            )
            values.append(f"case when {column} is not null then coalesce({kept}.kept, array()) end as `{one.column}`")
        else:
            values.append(
                f"case when not coalesce({column} in ({controlled}), false) then {column} end as `{one.column}`"
            )
    replaced = f" except ({', '.join(f'`{one.column}`' for one in weak)})" if weak else ""
    return f"select {', '.join([f'rows.*{replaced}', *values])} from {source} as rows{''.join(joins)}"
