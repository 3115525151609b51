"""Going on with a read that was interrupted, and leaving one so that it can be gone on with."""

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
    """Which interrupted read the one that is about to begin would repeat.

    Args:
        settings: For how long, and how often to make durable what has been read.
        plan: What is read and how it is asked for.
        schemas: Columns of every table.
        tenant: Whose rows.
        kind: All rows, or changes.
        last_load: The load that changes are read after; empty if there is none.
        schema_hash: Hash of the tenant's GraphQL schema.
        afresh: Go on with none.
    """
    # The embedded sandbox is one tenant whatever its world, and another one each time its factory is set otherwise.
    world = (settings.sandbox_seed, settings.sandbox_scale) if settings.environment == "embedded" else ()
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
    """The read_progress of the load, with what an interrupted read left in it, and the tasks as they are with it."""
    left = writer.interrupted
    if left.refusal:
        of = f" of {left.began:%Y-%m-%d %H:%M} UTC" if left.began else ""
        reporter.note(f"The interrupted read{of} is not gone on with: {left.refusal}.")
    read_progress = ReadProgress.read(left.journal.notes, left.journal.started_at) if left.journal else ReadProgress()
    if writer.checkpoints:
        writer.checkpoints.notes = read_progress.document
        read_progress.page_written = writer.checkpoint
    if left.journal is not None:
        tasks = await resume_read(
            client,
            plan,
            tasks,
            read_progress=read_progress,
            left=InterruptedRead(
                tables={table: staged.rows for table, staged in left.journal.tables.items()},
                ids=lambda table: _ids(writer.interrupted_rows(table, ["id", "_ion_deleted"])),
            ),
            sink=writer,
        )
        there = {name: entry.rows for name, entry in read_progress}
        wanted = sum(task.total or 0 if task.action == "full" else task.rows for task in tasks)
        reporter.note(
            f"Continuing the read of {writer.started_at:%Y-%m-%d %H:%M} UTC: "
            f"{sum(there.values()):,} of {wanted:,} rows are there."
        )
    return read_progress, tuple(tasks)


@contextmanager
def keep_for_resumption(writer: LoadWriter, reporter: Reporter) -> Iterator[None]:
    """Where another try may help, leave what has been read to be gone on with."""
    try:
        yield
    except (IonApiError, asyncio.CancelledError, KeyboardInterrupt) as trouble:
        if not isinstance(trouble, IonApiError) or trouble.retryable or isinstance(trouble, AuthError):
            writer.suspend()
            reporter.note("What has been read is kept: the next read of the same goes on from there.")
        raise


def _ids(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, bool]]:
    for batch in batches:
        yield from zip(batch.column("id").to_pylist(), batch.column("_ion_deleted").to_pylist(), strict=True)


def _digest(value: object) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()
