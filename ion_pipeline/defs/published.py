"""The files that readers open, as one asset: the published file, its Parquet copies and the data dictionary."""

from collections.abc import Iterable, Iterator

import dagster as dg

from ion_pipeline.defs.metadata import published_metadata
from ion_pipeline.defs.names import DUCKDB_WRITER, PUBLISH, PUBLISHED, PUBLISHED_KEY, raw_key
from ion_pipeline.pipeline.pipeline import Pipeline
from ion_pipeline.pipeline.target import NotSentError
from ion_pipeline.publish import PUBLIC_SCHEMAS


def published_assets(
    models: Iterable[dg.AssetKey], tables: Iterable[str], freshness: dg.FreshnessPolicy | None = None
) -> dg.AssetsDefinition:
    """The published warehouse, downstream of every model of a public schema and of every table that has no model.

    Args:
        models: Keys of all models.
        tables: The tables of `raw` that are published as they are.
        freshness: When the asset counts as stale.
    """
    spec = dg.AssetSpec(
        PUBLISHED_KEY,
        deps=sorted([*(key for key in models if key.path[0] in PUBLIC_SCHEMAS), *map(raw_key, tables)]),
        group_name=PUBLISHED,
        kinds={"duckdb", "parquet"},
        freshness_policy=freshness,
        description="The public tables as one DuckDB file, Parquet and a data dictionary, replaced together. "
        "`ion-pipeline report` writes a page of them: yield, defects, control charts, suppliers, as-built trees.",
    )

    @dg.multi_asset(name=f"{PUBLISH}_assets", specs=[spec], pool=DUCKDB_WRITER)
    def publish(pipeline: dg.ResourceParam[Pipeline]) -> Iterator[dg.MaterializeResult[None]]:
        try:
            yield dg.MaterializeResult(metadata=published_metadata(pipeline.publish(), pipeline.settings()))
        except NotSentError as error:
            # The files are published: that is recorded, and the run fails nevertheless.
            yield dg.MaterializeResult(metadata=published_metadata(error.report, pipeline.settings()))
            raise

    return publish
