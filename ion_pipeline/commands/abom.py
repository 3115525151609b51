"""`ion-pipeline abom`: as-built units on the command line. Reads the published file and nothing else."""

import csv
import io
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ion_pipeline.plain import cell, visible
from ion_pipeline.terminal.frame import command_settings, emit, out
from ion_pipeline.terminal.text import plain

if TYPE_CHECKING:
    from ion_pipeline.publish.read import Genealogy

abom = typer.Typer(
    help="What a unit is made of, what it is in, and how it differs: from the published file, without asking ION.\n\n"
    "A unit is named by its serial number, its lot number, PART:NAME where several parts have that name, or '#ID'.\n\n"
    "Exit codes: 1 if there is no such unit or no published file, 2 if the name fits several units (they are listed).",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r} is neither a date (2026-03-01) nor an instant (2026-03-01T08:15)."
        ) from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _examples(*commands: str) -> str:
    # \b keeps click from making one paragraph of them.
    return "\b\nExamples:\n" + "\n".join(f"  ion-pipeline abom {command}" for command in commands)


Name = Annotated[str, typer.Argument(help="Serial number, lot number, PART:NAME or '#ID'.", show_default=False)]
Instant = Annotated[
    datetime | None,
    typer.Option(
        "--as-of", parser=_instant, metavar="INSTANT", show_default=False,
        help="As it stood then: an ISO date (its first instant) or instant, UTC unless it says otherwise.",
    ),
]  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Csv = Annotated[
    bool,
    typer.Option("--csv", help="Print the rows as CSV; text that would be a formula gets an apostrophe."),
]


@abom.command(epilog=_examples("show PLT-T0", "show PLT-TOP:PLT-T0 --levels 1", "show PLT-T0 --as-of 2026-03-01"))
def show(
    context: typer.Context,
    unit: Name,
    as_of: Instant = None,
    levels: Annotated[int | None, typer.Option(min=1, help="Only so many levels down.", show_default=False)] = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Draw the as-built tree of a unit, with what is still open."""
    from ion_pipeline.terminal.tree import drawn_tree

    with _opened(context) as genealogy:
        found = genealogy.unit(unit)
        rows = genealogy.tree(found) if as_of is None else genealogy.tree_as_of(found, as_of)
    rows = [row for row in rows if levels is None or row["depth"] <= levels]
    document = {"unit": found, "as_of": as_of, "lines": rows}
    _give(document, rows, as_json=as_json, as_csv=as_csv, human=lambda: out.print(drawn_tree(rows)))


@abom.command(
    epilog=_examples(
        "compare PLT-T0 PLT-T7",
        "compare PLT-T0 --as-of 2026-03-01 --and 2026-04-01",
        "compare PLT-CONF-1 --plan",
        "compare PLT-T0 PLT-T7 --json | jq '.changes[].change'",
    )
)
def compare(
    context: typer.Context,
    unit: Name,
    other: Annotated[str | None, typer.Argument(help="The unit to set against it.", show_default=False)] = None,
    as_of: Instant = None,
    and_at: Annotated[
        datetime | None,
        typer.Option(
            "--and",
            parser=_instant,
            metavar="INSTANT",
            show_default=False,
            help="The later of two instants at which the unit is set against itself.",
        ),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Against the plan that the unit was started with.")] = False,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 1 if there is a difference.")] = False,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Draw how two units differ, at every level, by part, quantity and designator; serial numbers do not count.

    Also a unit against itself at two instants, or against its plan.
    """
    from ion_pipeline.terminal.abom_views import changes_line, conformance_view, drawn_changes

    if [other is not None, as_of is not None and and_at is not None, plan].count(True) != 1 or (
        (as_of is None) != (and_at is None)
    ):
        raise typer.BadParameter("Name one thing to compare with: another unit, --as-of with --and, or --plan.")
    with _opened(context) as genealogy:
        one = genealogy.unit(unit)
        if plan:
            rows = genealogy.conformance(one)
            differ = any(
                not row["status"].startswith("conforming") or row.get("designator_match") == "mismatch" for row in rows
            )
            document: dict[str, Any] = {"unit": one, "lines": rows}
        elif as_of is not None and and_at is not None:
            rows = genealogy.compare_as_of(one, as_of, and_at)
            differ = bool(rows)
            before, after = (f"{one.label} at {at:%Y-%m-%d %H:%M:%S} UTC" for at in (as_of, and_at))
            document = {"unit": one, "as_of": as_of, "and": and_at, "changes": rows}
        else:
            two = genealogy.unit(other or "")
            rows = genealogy.compare(one, two)
            differ = bool(rows)
            before, after = one.label, two.label
            document = {"unit_a": one, "unit_b": two, "changes": rows}

    def human() -> None:
        if plan:
            out.print(conformance_view(rows) if rows else plain(f"{one.label} has no plan and nothing installed."))
            return
        if rows:
            out.print(drawn_changes(rows, before, after))
        out.print(changes_line(rows), highlight=False)

    _give(document, rows, as_json=as_json, as_csv=as_csv, human=human)
    if exit_code and differ:
        raise typer.Exit(1)


@abom.command("where-used", epilog=_examples("where-used PLT-GOOD-POWDER", "where-used PLT-SENSOR:PLT-Q0 --csv"))
def where_used(context: typer.Context, unit: Name, as_json: Json = False, as_csv: Csv = False) -> None:
    """List every unit that a unit or lot is in, however deep.

    One lot, without what was split off it: `recall` takes those along.
    """
    from ion_pipeline.terminal.abom_views import uses_view

    with _opened(context) as genealogy:
        found = genealogy.unit(unit)
        rows = genealogy.where_used(found)

    def human() -> None:
        out.print(uses_view(rows) if rows else plain(f"{found.label} is in nothing."), highlight=False)

    _give({"unit": found, "used_in": rows}, rows, as_json=as_json, as_csv=as_csv, human=human)


@abom.command(
    epilog=_examples("recall PLT-POWDER PLT-BAD-POWDER", "recall PLT-POWDER PLT-BAD-POWDER --csv > affected.csv")
)
def recall(
    context: typer.Context,
    part: Annotated[str, typer.Argument(help="Part number.", show_default=False)],
    lot_or_serial: Annotated[str, typer.Argument(help="Lot or serial number.", show_default=False)],
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """List the top-level units with a bad lot or serial in them, lots that were split off it included."""
    from ion_pipeline.terminal.abom_views import recall_view

    with _opened(context) as genealogy:
        rows = genealogy.recall(part, lot_or_serial)

    def human() -> None:
        if rows:
            out.print(recall_view(rows))
        out.print(plain(f"{len(rows)} top-level units contain {part} {lot_or_serial}."))

    document = {"part_number": part, "lot_or_serial": lot_or_serial, "affected": rows}
    _give(document, rows, as_json=as_json, as_csv=as_csv, human=human)


def _opened(context: typer.Context) -> AbstractContextManager["Genealogy"]:
    from ion_pipeline.pipeline.resources import resources_of
    from ion_pipeline.publish.read import open_genealogy

    settings = command_settings(context, tenant=False)
    return open_genealogy(settings.published_dir, resources_of(settings))


def _give(
    document: Any, rows: Sequence[dict[str, Any]], *, as_json: bool, as_csv: bool, human: Callable[[], None]
) -> None:
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other.")
    if not as_csv:
        emit(document, as_json=as_json, human=human)
    elif rows:
        # A file gets the text as it is in ION; a terminal must not be controlled by it.
        on_terminal = sys.stdout.isatty()
        _write_row(list(rows[0]))
        for row in rows:
            _write_row([_cell(value, on_terminal=on_terminal) for value in row.values()])


def _write_row(cells: Sequence[Any]) -> None:
    # The writer quotes the characters of its own line end only, and a carriage return in a cell needs it too.
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(cells)
    sys.stdout.write(line.getvalue().removesuffix("\r\n") + "\n")


def _cell(value: Any, *, on_terminal: bool) -> Any:
    text = ";".join(map(str, value)) if isinstance(value, list) else value
    safe = cell(text)
    return visible(safe) if on_terminal and isinstance(safe, str) else safe
