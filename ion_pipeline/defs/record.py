"""Records in Dagster what a refresh without Dagster has just made, so that Dagster's pages show it.

    DAGSTER_HOME=$PWD/.dagster python -m ion_pipeline.defs.record

`make demo` does so. Dagster takes the time at which an event is recorded for the age of the asset, so only a refresh of
the last few minutes is recorded.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import duckdb
import orjson

from ion_pipeline.defs.events import assets_of, checks_of, node_events
from ion_pipeline.defs.home import POSTGRES_URL, prepare_dagster_home
from ion_pipeline.defs.instance import open_instance
from ion_pipeline.defs.metadata import published_paths
from ion_pipeline.defs.names import LOAD_ID, PUBLISHED_KEY, ROWS, entity_key, raw_key
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.pipeline import dbt
from ion_pipeline.publish import published_database
from ion_pipeline.settings import Settings, load_settings
from ion_pipeline.warehouse import connect, load_log

GRAPH = "http://127.0.0.1:3000/asset-groups"
RECENT = timedelta(minutes=15)
_LAST_LOAD = "select load_id, committed_at from raw._ion_loads order by loaded_at desc limit 1"
_LOADED = "select entity, table_name, rows_after, rows_read from raw._ion_load_tables where load_id = ?"
_BUILT = """
select schema_name, table_name, estimated_size from duckdb_tables()
where list_contains($schemas::varchar[], schema_name)
union all
select schema_name, view_name, null from duckdb_views() where list_contains($schemas::varchar[], schema_name)
"""


def record_refresh(instance: dg.DagsterInstance, settings: Settings) -> int:
    """Record each asset that exists and that the instance has never seen.

    Args:
        instance: Where to record.
        settings: Name the data directory.

    Returns:
        The number of assets; 0 if nothing was loaded in the last few minutes.
    """
    path = settings.data_dir / "warehouse.duckdb"
    if not path.is_file():
        return 0
    with connect(path, read_only=True) as warehouse:
        made = {event.asset_key: event for event in _events(warehouse, settings)}
    seen = instance.get_latest_materialization_events(list(made))
    unseen = [event for key, event in sorted(made.items()) if seen.get(key) is None]
    for event in unseen:
        instance.report_runless_asset_event(event)
    return len(unseen)


def _events(warehouse: duckdb.DuckDBPyConnection, settings: Settings) -> Iterator[dg.AssetMaterialization]:
    last = warehouse.execute(_LAST_LOAD).fetchone()
    if last is None or datetime.now(UTC) - last[1] > RECENT:
        return
    read: dict[str, int] = {}
    for entity, table, rows, rows_read in warehouse.execute(_LOADED, [last[0]]).fetchall():
        read[entity] = read.get(entity, 0) + rows_read
        yield dg.AssetMaterialization(raw_key(table), metadata={ROWS: rows, "rows_read": rows_read})
    for entity, rows in read.items():
        yield dg.AssetMaterialization(entity_key(entity), metadata={"rows_read": rows, LOAD_ID: last[0]})
    for name in load_log.TABLES:
        yield dg.AssetMaterialization(raw_key(name))
    rows_by_table = {
        (schema, name): rows for schema, name, rows in warehouse.execute(_BUILT, {"schemas": dbt.SCHEMAS}).fetchall()
    }
    built = _built(settings, {name: rows for (_, name), rows in rows_by_table.items()})
    for table, rows in rows_by_table.items():
        key = dg.AssetKey(table)
        yield built.get(key) or dg.AssetMaterialization(key, metadata={} if rows is None else {ROWS: rows})
    database = published_database(settings.published_dir)
    if database.is_file():
        of_file = {
            **published_paths(database, settings),
            "bytes": dg.MetadataValue.int(database.stat().st_size),
        }
        yield dg.AssetMaterialization(PUBLISHED_KEY, metadata=of_file)


def _built(settings: Settings, rows: Mapping[str, int | None]) -> dict[dg.AssetKey, dg.AssetMaterialization]:
    """The materializations of what dbt has built in the last few minutes, if anything.

    Args:
        settings: Name the data directory.
        rows: The rows of each table by name, which dbt does not say.
    """
    path, manifest = dbt.results_path(settings), dbt.parse_stamp(settings).with_name("manifest.json")
    if not path.is_file() or datetime.now(UTC) - datetime.fromtimestamp(path.stat().st_mtime, UTC) > RECENT:
        return {}
    parsed = orjson.loads(manifest.read_bytes())
    nodes = [replace(node, rows=rows.get(node.unique_id.split(".")[2])) for node in dbt.read_results(path).nodes]
    events = node_events(nodes, assets_of(parsed), checks_of(parsed))
    return {event.asset_key: event for event in events if isinstance(event, dg.AssetMaterialization)}


def main() -> None:
    """Record the last refresh in the instance of `DAGSTER_HOME`, with the settings of the environment."""
    try:
        settings = load_settings(tenant=False)
        os.umask(settings.file_umask)
        prepare_dagster_home(Path(os.environ["DAGSTER_HOME"]), postgres_url=os.environ.get(POSTGRES_URL))
        with open_instance() as instance:
            count = record_refresh(instance, settings)
    except IonPipelineError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    sys.stdout.write(f"{count} assets are recorded in Dagster; `make dev` shows them at {GRAPH}.\n")


if __name__ == "__main__":
    main()
