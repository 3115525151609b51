"""Reports what a data directory holds, without requests to ION and without waiting for a writer."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ion_pipeline.lake import LearnedPageSize, Tenant, read_tenant
from ion_pipeline.pipeline import dbt
from ion_pipeline.pipeline.open_lake import open_lake
from ion_pipeline.pipeline.target import has_formats, is_sent
from ion_pipeline.pipeline.tenant import known_page_size
from ion_pipeline.publish import published_database, settle
from ion_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class LoadStatus:
    """One committed load.

    Attributes:
        load_id: ULID of the load.
        started_at: The instant that it describes, UTC.
        strategy: full, incremental or mixed.
        tables: Number of tables.
        rows: Number of rows in all tables.
        requests: Number of HTTP requests of the read.
    """

    load_id: str
    started_at: datetime
    strategy: str
    tables: int
    rows: int
    requests: int


@dataclass(frozen=True, slots=True)
class StatusReport:
    """The contents of a data directory.

    Attributes:
        data_dir: The data directory.
        tenant: The tenant that the data belongs to; None before the first load.
        loads: The latest loads, newest first.
        load_count: Number of all loads.
        published: The published file; None before the first publish.
        published_at: When it was published, UTC.
        clock_doubts: One sentence for each doubt about the clocks at the latest load.
        page_size: The tenant's limit of rows in a page; None if it is not below ION_PAGE_SIZE.
    """

    data_dir: Path
    tenant: Tenant | None
    loads: tuple[LoadStatus, ...]
    load_count: int
    published: Path | None
    published_at: datetime | None
    clock_doubts: tuple[str, ...] = ()
    page_size: LearnedPageSize | None = None


def status(settings: Settings, *, latest: int = 10) -> StatusReport:
    """Report what the data directory of the settings holds.

    A publish that was killed while it replaced the old files is finished first, if this user may write the files.

    Raises:
        LakeCorruptionError: A manifest of the lake cannot be read.
        PublishError: The published files belong to two publishes and cannot be replaced.
    """
    if os.access(settings.published_dir, os.W_OK) and os.access(settings.data_dir, os.W_OK):
        settle(settings.published_dir)
    lake = open_lake(settings)
    load_ids = lake.load_ids()
    manifests = [lake.read_manifest(load_id) for load_id in reversed(load_ids[-latest:])]
    published = published_database(settings.published_dir)
    exists = published.is_file()
    return StatusReport(
        data_dir=settings.data_dir,
        tenant=read_tenant(settings.data_dir),
        loads=tuple(
            LoadStatus(
                manifest.load_id,
                manifest.started_at,
                manifest.strategy,
                len(manifest.tables),
                manifest.rows,
                manifest.requests,
            )
            for manifest in manifests
        ),
        load_count=len(load_ids),
        published=published if exists else None,
        published_at=datetime.fromtimestamp(published.stat().st_mtime, UTC) if exists else None,
        clock_doubts=manifests[0].clock.doubts if manifests and manifests[0].clock else (),
        page_size=known_page_size(settings),
    )


def is_published_current(settings: Settings) -> bool:
    """Whether the current publish has been sent, has the formats of the settings, and is newer than load and models.

    It must be newer than the last load and the last change of the models. A publish that was killed while it replaced
    the old files is finished first.

    Raises:
        LakeCorruptionError: The manifest of the last load cannot be read.
        PublishError: The published files belong to two publishes and cannot be replaced.
    """
    settle(settings.published_dir)
    published = published_database(settings.published_dir)
    load_ids = open_lake(settings).load_ids()
    if not load_ids or not published.is_file() or not is_sent(settings) or not has_formats(settings):
        return False
    at = datetime.fromtimestamp(published.stat().st_mtime, UTC)
    stamp = dbt.parse_stamp(settings)
    models_at = datetime.fromtimestamp(stamp.stat().st_mtime, UTC) if stamp.is_file() else at
    return at >= max(models_at, open_lake(settings).read_manifest(load_ids[-1]).committed_at)
