"""The tables of `raw` as assets: one operation applies the lake's new loads, each in one transaction."""

from collections.abc import Iterator, Sequence

import dagster as dg

from ion_pipeline.catalog.catalog import Column, Table
from ion_pipeline.defs.metadata import table_metadata
from ion_pipeline.defs.names import DUCKDB_WRITER, LOAD, RAW, entity_key, raw_key
from ion_pipeline.defs.outcome import output_without_materialization
from ion_pipeline.pipeline.pipeline import Pipeline
from ion_pipeline.plain import visible
from ion_pipeline.warehouse import load_log


def raw_assets(tables: Sequence[Table]) -> dg.AssetsDefinition:
    """One asset for each table, downstream of its entity, and one for each table of the load log, downstream of all."""
    entities = sorted({table.entity for table in tables})
    specs = [*(_spec(table) for table in tables), *(_log_spec(name, entities) for name in load_log.TABLES)]

    @dg.multi_asset(name=f"{LOAD}_assets", specs=specs, can_subset=True, pool=DUCKDB_WRITER)
    def load(
        context: dg.AssetExecutionContext, pipeline: dg.ResourceParam[Pipeline]
    ) -> Iterator[dg.MaterializeResult[None] | dg.DagsterEvent]:
        report = pipeline.load()
        for table in tables:
            key = raw_key(table.name)
            if key not in context.selected_asset_keys:
                continue
            change = report.tables.get(table.name)
            if change:
                yield dg.MaterializeResult(asset_key=key, metadata=table_metadata(change))
            elif report.loads:
                yield output_without_materialization(context, key)
            else:
                yield dg.MaterializeResult(asset_key=key, metadata={"new_loads": 0})
        for name in load_log.TABLES:
            if raw_key(name) in context.selected_asset_keys:
                yield dg.MaterializeResult(asset_key=raw_key(name), metadata={"new_loads": len(report.loads)})

    return load


def _spec(table: Table) -> dg.AssetSpec:
    source = "a list in" if table.is_child else "all rows of"
    return dg.AssetSpec(
        raw_key(table.name),
        deps=[entity_key(table.entity)],
        description=f"Current rows: {source} ION's {table.entity}. Key: {', '.join(table.key)}.",
        group_name=RAW,
        kinds={"duckdb"},
        metadata={
            "dagster/table_name": f"{RAW}.{table.name}",
            "dagster/column_schema": dg.TableSchema([_column(column) for column in table.columns]),
        },
        skippable=True,
    )


def _log_spec(name: str, entities: Sequence[str]) -> dg.AssetSpec:
    return dg.AssetSpec(
        raw_key(name),
        deps=[entity_key(entity) for entity in entities],
        description=load_log.TABLES[name],
        group_name=RAW,
        kinds={"duckdb"},
        metadata={"dagster/table_name": f"{RAW}.{name}"},
        skippable=True,
    )


def _column(column: Column) -> dg.TableColumn:
    # The description of an adopted field is the tenant's text, so control characters are made visible.
    description = visible(column.description, keep="\n")
    return dg.TableColumn(column.name, type=str(column.arrow_type), description=description or None)
