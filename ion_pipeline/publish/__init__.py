"""The public part of the warehouse as files for everyone else, swapped in at once, and copies of them elsewhere.

    publish(data_dir / "warehouse.duckdb", data_dir / "published")
    send(data_dir / "published", "s3://bucket/prefix")

Reads the warehouse and never writes to it; nothing that loads or builds imports this package.
"""

from ion_pipeline.publish.dictionary import ColumnEntry, TableEntry
from ion_pipeline.publish.errors import MissingDriverError, NotPublishedError, PublishError
from ion_pipeline.publish.latest import INCLUDED
from ion_pipeline.publish.postgres import check_postgres, send_to_postgres
from ion_pipeline.publish.publish import PUBLIC_SCHEMAS, STORAGE_VERSION, PublishReport, publish, settle
from ion_pipeline.publish.read import published_database
from ion_pipeline.publish.upload import SendReport, check_store, check_target, current_publish, send

__all__ = [
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
    "check_postgres",
    "check_store",
    "check_target",
    "current_publish",
    "publish",
    "published_database",
    "send",
    "send_to_postgres",
    "settle",
]
