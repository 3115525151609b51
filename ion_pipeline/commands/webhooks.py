"""`ion-pipeline webhooks`: a receiver of ION's events, so that a refresh starts before the schedule's next time."""

from typing import TYPE_CHECKING, Annotated

import typer

from ion_pipeline.errors import SettingsError
from ion_pipeline.terminal.frame import command_settings, inform

if TYPE_CHECKING:
    import uvicorn

    from ion_pipeline.settings import Settings

webhooks = typer.Typer(help="Receive ION's events and refresh what they name.", no_args_is_help=True)


@webhooks.command("serve")
def serve(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Another address than loopback opens the receiver to the network.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="0 takes a free port.")] = 8485,
) -> None:
    """Receive events at /ion/webhooks until interrupted; the sensor `webhook_events` starts a refresh for them.

    ION sends events over HTTPS only: run the receiver behind a proxy that terminates TLS. The secret comes from
    ION_WEBHOOK_SECRET or ION_WEBHOOK_SECRET_FILE.
    """
    settings = command_settings(context, tenant=False)
    serving = receiver_of(settings, host, port)
    if serving is None:
        raise SettingsError(
            "The receiver has no secret to check signatures with.",
            remedy="Set ION_WEBHOOK_SECRET or ION_WEBHOOK_SECRET_FILE to the secret of the webhook receiver in ION.",
        )
    inform([f"Receiving events at http://{host}:{port}/ion/webhooks. Press Ctrl-C to stop."])
    serving.run()


def receiver_of(settings: "Settings", host: str, port: int) -> "uvicorn.Server | None":
    """The server that stores events in the inbox of the settings; None if they have no secret to check signatures."""
    from ion_pipeline.webhooks import Inbox, ReceiverOptions, receiver
    from ion_pipeline.webhooks.server import server

    secret = settings.read_webhook_secret()
    if secret is None:
        return None
    options = ReceiverOptions(
        secret=secret.get_secret_value(),
        algorithm=settings.webhook_algorithm,
        max_bytes=settings.webhook_max_bytes,
        per_second=settings.webhook_requests_per_second,
    )
    return server(receiver(Inbox(settings.webhook_inbox), options), host, port)
