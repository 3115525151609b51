"""`ion-pipeline sandbox`: a local ION to try things on."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ion_pipeline.terminal.frame import err, out

sandbox = typer.Typer(help="A local ION with the same schema, errors and paging.", no_args_is_help=True)


@sandbox.command("serve")
def serve(
    world: Annotated[
        Path | None, typer.Option(help="Serve these files (<rootConnection>.ndjson) instead of the seeded factory.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the factory; the same seed gives the same bytes.")] = 7,
    scale: Annotated[float, typer.Option(help="Size of the factory; 1 is about 20,000 rows.")] = 1.0,
    profile: Annotated[str, typer.Option(help="Which parts of ION's schema this tenant has.")] = "full",
    forbid: Annotated[list[str] | None, typer.Option(help="Root connection that nobody may read; repeatable.")] = None,
    max_first: Annotated[
        int | None, typer.Option(min=1, show_default=False, help="Refuse requests for more rows of one list.")
    ] = None,
    cap_first: Annotated[
        int | None, typer.Option(min=1, show_default=False, help="Give no more rows of one list, without a word.")
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
    """Serve a local ION until interrupted, and print the settings that point at it."""
    from ion_pipeline.sandbox.server import SandboxAddress, SandboxOptions
    from ion_pipeline.sandbox.server import serve as run_server

    def ready(address: SandboxAddress) -> None:
        for name, value in address.environment().items():
            sys.stdout.write(f"export {name}={value}\n")
        sys.stdout.flush()
        err.print(f"The sandbox answers at {address.api_url}/graphql. Ctrl-C ends it.", highlight=False)

    with suppress(KeyboardInterrupt):
        run_server(
            SandboxOptions(
                world=world,
                seed=seed,
                scale=scale,
                profile=profile,
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
    directory: Annotated[Path, typer.Argument(help="Where to write; created if need be.")],
    seed: Annotated[int, typer.Option(help="Seed of the factory.")] = 7,
    scale: Annotated[float, typer.Option(help="Size of the factory; 1 is about 20,000 rows.")] = 1.0,
) -> None:
    """Write the factory's world as files, one per root connection, with the planted truths beside them."""
    from ion_pipeline.sandbox.server import export_world

    with err.status("Building the factory"):
        world = export_world(directory, seed=seed, scale=scale)
    out.print(f"{sum(map(len, world.tables.values())):,} rows of {len(world.tables)} entities in {directory}")
