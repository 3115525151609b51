"""`ion-pipeline sandbox`: a local ION to experiment with."""

import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from ion_pipeline.terminal.frame import err, out

_PROFILE = "Which parts of ION's schema the tenant has; `today` is ION with what it has added since the shipped schema."

Today = Annotated[
    datetime | None,
    typer.Option(
        formats=["%Y-%m-%d"],
        show_default="today in UTC",
        help="Date that the factory's half year ends at: on the last working day before it.",
    ),
]

sandbox = typer.Typer(help="A local ION with the same schema, errors and paging.", no_args_is_help=True)


@sandbox.command("serve")
def serve(
    world: Annotated[
        Path | None, typer.Option(help="Serve these files (<rootConnection>.ndjson) instead of the seeded factory.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the factory; the same seed gives the same bytes.")] = 7,
    scale: Annotated[float, typer.Option(help="Size of the factory; 1 is about 20,000 rows.")] = 1.0,
    today: Today = None,
    live: Annotated[
        bool,
        typer.Option(
            "--live",
            help="The factory keeps working: people start runs, measure, fail steps, install, open and resolve "
            "issues, order and receive. With the profile today or generation-2.",
        ),
    ] = False,
    day_minutes: Annotated[
        float, typer.Option(min=0.1, help="With --live: minutes in which the factory works a day.")
    ] = 10.0,
    webhooks: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="With --live: send an event of each change there, signed with ION_WEBHOOK_SECRET; "
            "`ion-pipeline watch` receives them at http://127.0.0.1:8485/ion/webhooks.",
        ),
    ] = None,
    profile: Annotated[str | None, typer.Option(help=_PROFILE, show_default="full; with --live, today")] = None,
    export_group: Annotated[
        bool, typer.Option("--export-group/--no-export-group", help="Whether the API key sees controlled rows.")
    ] = True,
    names: Annotated[
        list[str] | None,
        typer.Option(
            "--name", metavar="ENTITY=NAME", help="Name of an entity that tenants name themselves; repeatable."
        ),
    ] = None,
    forbid: Annotated[
        list[str] | None, typer.Option(help="Root connection that the API key may not read; repeatable.")
    ] = None,
    max_first: Annotated[
        int | None, typer.Option(min=1, show_default=False, help="Refuse requests for more rows of one list.")
    ] = None,
    cap_first: Annotated[
        int | None,
        typer.Option(min=1, show_default=False, help="Return at most this many rows of one list, without an error."),
    ] = None,
    max_cost: Annotated[
        int | None,
        typer.Option(min=1, show_default=False, help="Refuse requests that cost more: rows times fields of each."),
    ] = None,
    host: Annotated[str, typer.Option(help="Another address than loopback opens the sandbox to the network.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="0 takes a free port.")] = 8484,
    token_lifetime: Annotated[int, typer.Option(help="Seconds an access token lives.")] = 300,
) -> None:
    """Serve a local ION until interrupted, and print the settings that connect to it.

    With --live, watch it from a second terminal that has these settings: each `ion-pipeline refresh` reads what is new,
    and `ion-pipeline report` or `make dev` shows it.
    """
    from ion_pipeline.sandbox.server import SandboxAddress, SandboxOptions
    from ion_pipeline.sandbox.server import serve as run_server
    from ion_pipeline.settings import load_settings

    secret = load_settings(tenant=False).read_webhook_secret() if webhooks else None

    def ready(address: SandboxAddress) -> None:
        for name, value in address.environment().items():
            sys.stdout.write(f"export {name}={value}\n")
        sys.stdout.flush()
        working = f" The factory works a day in {day_minutes:g} minutes." if live else ""
        err.print(f"The sandbox serves {address.api_url}/graphql.{working} Press Ctrl-C to stop it.", highlight=False)

    with suppress(KeyboardInterrupt):
        run_server(
            SandboxOptions(
                world=world,
                seed=seed,
                scale=scale,
                today=(today or datetime.now(UTC)).date(),
                profile=profile or ("today" if live else "full"),
                day_minutes=day_minutes if live else None,
                webhooks=webhooks,
                webhook_secret=secret.get_secret_value() if secret else None,
                export_group=export_group,
                names=tuple((old, new) for old, _, new in (one.partition("=") for one in names or ())),
                forbid=tuple(forbid or ()),
                max_first=max_first,
                cap_first=cap_first,
                max_cost=max_cost,
                host=host,
                port=port,
                token_lifetime=token_lifetime,
            ),
            ready,
        )


@sandbox.command("export")
def export(
    directory: Annotated[Path, typer.Argument(help="Directory to write to; created if it does not exist.")],
    seed: Annotated[int, typer.Option(help="Seed of the factory.")] = 7,
    scale: Annotated[float, typer.Option(help="Size of the factory; 1 is about 20,000 rows.")] = 1.0,
    today: Today = None,
    profile: Annotated[str, typer.Option(help="`today` adds what only today's ION records.")] = "full",
) -> None:
    """Write the factory's world as files, one for each root connection, together with its planted truths."""
    from ion_pipeline.sandbox.server import export_world

    with err.status("Building the factory"):
        world = export_world(
            directory, seed=seed, scale=scale, today=(today or datetime.now(UTC)).date(), profile=profile
        )
    out.print(f"{sum(map(len, world.tables.values())):,} rows of {len(world.tables)} entities in {directory}")
