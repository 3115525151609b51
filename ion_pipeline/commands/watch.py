"""`ion-pipeline watch`: one process that keeps the published version fresh, by events and at intervals."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.terminal.frame import command_settings, inform, report_failure, warn

if TYPE_CHECKING:
    import uvicorn

    from ion_pipeline.pipeline.refresh import RefreshResult
    from ion_pipeline.settings import Settings
    from ion_pipeline.webhooks import Due, Watcher

_LOOK_SECONDS = 0.5


def watch(
    context: typer.Context,
    every: Annotated[
        float, typer.Option(min=5, help="Seconds between two refreshes of all entities; one with nothing new is cheap.")
    ] = 60,
    settle: Annotated[
        float, typer.Option(min=0, help="Seconds without another event after which a refresh for events begins.")
    ] = 1,
    host: Annotated[str, typer.Option(help="Another address than loopback opens the receiver to the network.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="The receiver's port.")] = 8485,
) -> None:
    """Keep the published version fresh until interrupted: refresh soon after ION's events, and at intervals.

    With ION_WEBHOOK_SECRET or ION_WEBHOOK_SECRET_FILE it receives events itself, at /ion/webhooks, and reads only the
    entities that they name. Without a secret, changes are found at intervals. A refresh that fails is reported and
    repeated; the published version stays as it was. Dagster is not used: if it runs your refreshes, use its sensor.
    """
    from ion_pipeline.commands.webhooks import receiver_of
    from ion_pipeline.pipeline.adopt import data_catalog
    from ion_pipeline.pipeline.refresh import selected_entities
    from ion_pipeline.webhooks import Inbox, Pace, Watcher

    settings = command_settings(context)
    catalog = data_catalog(settings.data_dir)
    watcher = Watcher(
        Inbox(settings.webhook_inbox), catalog, selected_entities(settings), Pace(every, settle), time.monotonic()
    )
    with _receiving(receiver_of(settings, host, port)):
        inform(
            [
                f"Receiving events at http://{host}:{port}/ion/webhooks."
                if settings.read_webhook_secret()
                else "No webhook secret is set, so no events are received.",
                f"Refreshing every {every:g} s. Press Ctrl-C to stop.",
            ]
        )
        _run(settings, watcher)


def _run(settings: "Settings", watcher: "Watcher") -> None:
    from ion_pipeline.pipeline.pipeline import real_pipeline
    from ion_pipeline.pipeline.progress import NullReporter
    from ion_pipeline.pipeline.refresh import refresh

    warned: frozenset[str] = frozenset()
    while True:
        due, began = watcher.due(time.monotonic()), time.monotonic()
        if due is None:
            time.sleep(_LOOK_SECONDS)
            continue
        try:
            result = refresh(settings, real_pipeline(settings, NullReporter()), entities=due.entities)
        except SettingsError:
            raise
        except IonPipelineError as error:
            report_failure(error)
            inform([f"The refresh is repeated in {watcher.failed(time.monotonic()):g} s."])
            continue
        watcher.succeeded(due, began)
        for sentence in result.warnings:
            if sentence not in warned:
                warn(sentence)
        if result.published:
            warned = frozenset(result.warnings)
            inform([_line(due, result, time.monotonic() - began)])


def _line(due: "Due", result: "RefreshResult", seconds: float) -> str:
    now = datetime.now(UTC)
    read = ", ".join(due.entities) if due.entities else "all entities"
    waited = ""
    if due.received_at:
        what = "1 event," if due.events == 1 else f"{due.events:,} events, the first"
        waited = f"; {what} received {(now - due.received_at).total_seconds():.1f} s ago"
    return (
        f"{now:%Y-%m-%d %H:%M:%S} UTC: published {result.rows:,} rows read of {read}, {result.models} models built, "
        f"in {seconds:.1f} s{waited}."
    )


@contextmanager
def _receiving(server: "uvicorn.Server | None") -> Iterator[None]:
    """Run a receiver in a thread of its own; it does not handle signals there.

    Raises:
        SettingsError: It cannot listen at its address.
    """
    if server is None:
        yield
        return
    thread = threading.Thread(target=_serve, args=(server,), name="ion-receiver", daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        thread.join(0.05)
    if not server.started:
        raise SettingsError(
            f"The receiver cannot listen at {server.config.host}:{server.config.port}.",
            remedy="Choose another --host or --port; `ion-pipeline webhooks serve` may be running there.",
        )
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()


def _serve(server: "uvicorn.Server") -> None:
    try:
        server.run()
    except SystemExit:
        # uvicorn's way to say that it cannot listen; the main thread sees that it has not started.
        return
