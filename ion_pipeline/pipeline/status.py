"""What a data directory holds: its tenant, its loads, what is published. Never asks ION, never waits for a writer."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ion_pipeline.lake import Lake, LearnedPageSize, Tenant, read_tenant
from ion_pipeline.pipeline import dbt
from ion_pipeline.pipeline.target import is_sent
from ion_pipeline.pipeline.tenant import known_page_size
from ion_pipeline.publish import published_database, settle
from ion_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class LoadStatus:
    """One committed load.

    Attributes:
        load_id: Its ULID.
        started_at: The instant it describes, UTC.
        strategy: full, incremental or mixed.
        tables: Tables it holds.
        rows: Rows over all tables.
        requests: HTTP requests it took.
    """

    load_id: str
    started_at: datetime
    strategy: str
    tables: int
    rows: int
    requests: int


@dataclass(frozen=True, slots=True)
class StatusReport:
    """What there is.

    Attributes:
        data_dir: The directory.
        tenant: Whose data it is; None before the first load.
        loads: The latest loads, newest first.
        load_count: How many there are in all.
        published: The published file; None before the first publish.
        published_at: When it was published, UTC.
        clock_doubts: What was doubtful about the clocks at the latest load, a sentence each.
        page_size: What the tenant was found to give at once, where that is less than the page size set.
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
    """Look at the data directory of the settings.

    A publish that was killed while its files changed places is finished, where this user may write them.

    Raises:
        LakeCorruptionError: A manifest of the lake is not readable.
        PublishError: The published files are of two publishes, and cannot be exchanged.
    """
    if os.access(settings.published_dir, os.W_OK) and os.access(settings.data_dir, os.W_OK):
        settle(settings.published_dir)
    lake = Lake(settings.lake_dir)
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
    """Whether readers have everything: published after the last load and after the models last changed, and sent.

    A publish that was killed while its files changed places is finished first.

    Raises:
        LakeCorruptionError: The last load's manifest is not readable.
        PublishError: The published files are of two publishes, and cannot be exchanged.
    """
    settle(settings.published_dir)
    published = published_database(settings.published_dir)
    load_ids = Lake(settings.lake_dir).load_ids()
    if not load_ids or not published.is_file() or not is_sent(settings):
        return False
    at = datetime.fromtimestamp(published.stat().st_mtime, UTC)
    stamp = dbt.parse_stamp(settings)
    models_at = datetime.fromtimestamp(stamp.stat().st_mtime, UTC) if stamp.is_file() else at
    return at >= max(models_at, Lake(settings.lake_dir).read_manifest(load_ids[-1]).committed_at)
