"""Publishes the public schemas of the warehouse as files that replace the previous ones, and sends copies of them.

    publish(data_dir / "warehouse.duckdb", data_dir / "published")
    send(data_dir / "published", "s3://bucket/prefix")

This package reads the warehouse and never writes to it. No module that loads or builds imports it.
"""

from ion_pipeline.publish.delta import check_library
from ion_pipeline.publish.dictionary import ColumnEntry, TableEntry
from ion_pipeline.publish.errors import MissingDriverError, NotPublishedError, PublishError
from ion_pipeline.publish.latest import DELTA, INCLUDED, published_formats, published_load
from ion_pipeline.publish.postgres import check_postgres, send_to_postgres
from ion_pipeline.publish.publish import PUBLIC_SCHEMAS, STORAGE_VERSION, PublishReport, publish, settle
from ion_pipeline.publish.read import published_database
from ion_pipeline.publish.upload import SendReport, check_store, check_target, current_publish, send

__all__ = [
    "DELTA",
    "INCLUDED",
    "PUBLIC_SCHEMAS",
    "STORAGE_VERSION",
    "ColumnEntry",
    "MissingDriverError",
    "NotPublishedError",
    "PublishError",
    "PublishReport",
    "SendReport",
    "TableEntry",
    "check_library",
    "check_postgres",
    "check_store",
    "check_target",
    "current_publish",
    "publish",
    "published_database",
    "published_formats",
    "published_load",
    "send",
    "send_to_postgres",
    "settle",
]
