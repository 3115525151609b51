"""Resumes an interrupted read, and keeps the data of an interrupted read for that."""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta

import pyarrow as pa

from ion_pipeline import __version__
from ion_pipeline.catalog import Plan
from ion_pipeline.client import AuthError, IonApiError, IonClient
from ion_pipeline.extract import InterruptedRead, ReadProgress, Task, resume_read
from ion_pipeline.lake import LoadWriter, Resumption, Tenant
from ion_pipeline.pipeline.progress import Reporter
from ion_pipeline.settings import Settings


def resumption(
    settings: Settings,
    *,
    plan: Plan,
    schemas: Mapping[str, pa.Schema],
    tenant: Tenant,
    kind: str,
    last_load: str,
    schema_hash: str,
    afresh: bool,
) -> Resumption:
    """Describe the read that is about to begin; only an interrupted read with the same description is resumed.

    Args:
        settings: How long an interrupted read can be resumed, and the interval of checkpoints.
        plan: The plan of the read.
        schemas: Columns of every table.
        tenant: The tenant that is read.
        kind: Kind of read: all rows, or changes.
        last_load: The load that changes are read after; empty if there is none.
        schema_hash: Hash of the tenant's GraphQL schema.
        afresh: Do not resume an interrupted read.
    """
    # The embedded sandbox always has the same tenant id, but its rows depend on these settings.
    world = (
        (settings.sandbox_seed, settings.sandbox_scale, settings.sandbox_today)
        if settings.environment == "embedded"
        else ()
    )
    queries = sorted((entity.name, entity.paging, entity.query_hash) for entity in plan.entities)
    return Resumption(
        plan={
            "tenant": " ".join(map(str, (tenant, *world))),
            "kind of read": kind,
            "load before it": last_load,
            "selection of entities": _digest(queries),
            "schema at ION": schema_hash,
            "set of columns": _digest(sorted((name, str(schema)) for name, schema in schemas.items())),
            "version of ion-pipeline": __version__,
        },
        within=timedelta(hours=settings.resume_hours) if settings.resume_hours and not afresh else None,
        checkpoint_seconds=settings.checkpoint_seconds,
    )


async def begin_or_resume(
    client: IonClient, plan: Plan, tasks: Sequence[Task], writer: LoadWriter, reporter: Reporter
) -> tuple[ReadProgress, tuple[Task, ...]]:
    """Begin the read progress, or restore that of an interrupted read; return it with the tasks that are left."""
    interrupted = writer.interrupted
    journal = interrupted.journal
    if interrupted.refusal:
        of = f" of {interrupted.began:%Y-%m-%d %H:%M} UTC" if interrupted.began else ""
        reporter.note(f"The interrupted read{of} is not resumed: {interrupted.refusal}.")
    read_progress = ReadProgress.read(journal.notes, journal.started_at) if journal else ReadProgress()
    if writer.checkpoints:
        writer.checkpoints.notes = read_progress.document
        read_progress.page_written = writer.checkpoint
    if journal is not None:
        tasks = await resume_read(
            client,
            plan,
            tasks,
            read_progress=read_progress,
            left=InterruptedRead(
                tables={table: staged.rows for table, staged in journal.tables.items()},
                ids=lambda table: _ids(writer.interrupted_rows(table, ["id", "_ion_deleted"])),
            ),
            sink=writer,
        )
        done = {name: entry.rows for name, entry in read_progress}
        total = sum(task.total or 0 if task.action == "full" else task.rows for task in tasks)
        reporter.note(
            f"Resuming the read of {writer.started_at:%Y-%m-%d %H:%M} UTC: "
            f"{sum(done.values()):,} of {total:,} rows have been read."
        )
    return read_progress, tuple(tasks)


@contextmanager
def keep_for_resumption(writer: LoadWriter, reporter: Reporter) -> Iterator[None]:
    """If an error in the block may be temporary, keep the rows read so far, so that the next read can resume."""
    try:
        yield
    except (IonApiError, asyncio.CancelledError, KeyboardInterrupt) as trouble:
        if not isinstance(trouble, IonApiError) or trouble.retryable or isinstance(trouble, AuthError):
            writer.suspend()
            reporter.note("The rows read so far are kept: the next read with the same settings resumes from there.")
        raise


def _ids(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, bool]]:
    for batch in batches:
        # In the table of a list, ids are text that spells a number.
        ids = map(int, batch.column("id").to_pylist())
        yield from zip(ids, batch.column("_ion_deleted").to_pylist(), strict=True)


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()
