"""`ion-pipeline abom`: as-built units on the command line. Reads the published file and nothing else."""

import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ion_pipeline.plain import cell, csv_line, visible
from ion_pipeline.terminal.age import data_line
from ion_pipeline.terminal.frame import command_settings, emit, err, out, warn
from ion_pipeline.terminal.text import plain

if TYPE_CHECKING:
    from ion_pipeline.publish.containment import DataAge
    from ion_pipeline.publish.read import Genealogy

abom = typer.Typer(
    help="Show what a unit is made of, where it is used and how it differs. Reads the published file, not ION.\n\n"
    "Name a unit by its serial number, its lot number, PART:NAME if several parts have that name, or '#ID'.\n\n"
    "Exit codes: 1 if there is no such unit or no published file, 2 if the name matches several units (they are "
    "listed). compare --plan also: 0 if the unit conforms, 3 if it does not, 4 if that is not known.",
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
    # \b keeps click from joining the lines into one paragraph.
    return "\b\nExamples:\n" + "\n".join(f"  ion-pipeline abom {command}" for command in commands)


Name = Annotated[str, typer.Argument(help="Serial number, lot number, PART:NAME or '#ID'.", show_default=False)]
Instant = Annotated[
    datetime | None,
    typer.Option(
        "--as-of", parser=_instant, metavar="INSTANT", show_default=False,
        help="The state at this time: an ISO date (its start) or instant, UTC unless it has an offset.",
    ),
]  # fmt: skip
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Csv = Annotated[
    bool,
    typer.Option("--csv", help="Print the rows as CSV; text that looks like a formula gets an apostrophe."),
]


@abom.command(epilog=_examples("show PLT-T0", "show PLT-TOP:PLT-T0 --levels 1", "show PLT-T0 --as-of 2026-03-01"))
def show(
    context: typer.Context,
    unit: Name,
    as_of: Instant = None,
    levels: Annotated[int | None, typer.Option(min=1, help="Most levels to show.", show_default=False)] = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Draw the as-built tree of a unit, including requirements that are still open."""
    from ion_pipeline.terminal.tree import drawn_tree

    with _opened(context) as genealogy:
        found = genealogy.unit(unit)
        rows = genealogy.tree(found) if as_of is None else genealogy.tree_as_of(found, as_of)
        age = genealogy.age()
    left_out = [row for row in rows if levels is not None and row["depth"] > levels]
    rows = [row for row in rows if levels is None or row["depth"] <= levels]
    document = {"unit": found, "as_of": as_of, "lines": rows}

    def human() -> None:
        out.print(drawn_tree(rows))
        if left_out:
            out.print(f"{len(left_out)} lines at deeper levels are not shown (--levels).")

    _print(document, rows, age, as_json=as_json, as_csv=as_csv, human=human)


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
    other: Annotated[str | None, typer.Argument(help="The unit to compare it with.", show_default=False)] = None,
    as_of: Instant = None,
    and_at: Annotated[
        datetime | None,
        typer.Option(
            "--and",
            parser=_instant,
            metavar="INSTANT",
            show_default=False,
            help="The later of the two instants at which the unit is compared with itself.",
        ),
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Compare with the plan that the unit was started with.")] = False,
    levels: Annotated[
        int | None,
        typer.Option(
            min=1, help="With --plan: most levels to compare; 1 for the unit's own lines.", show_default=False
        ),
    ] = None,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 1 if there is a difference. --plan always says it: 3 or 4.")
    ] = False,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """Draw how two units differ, at every level, by part, quantity and designator; serial numbers are ignored.

    Also compares a unit with itself at two instants, or with its plan: then each unit in it with its own plan, at all
    levels. The exit code is 0 if all lines conform, 3 if one does not, and 4 if that is not known: there is no plan, or
    something in it is in no tree.
    """
    from ion_pipeline.terminal.abom_views import changes_line, drawn_changes

    if [other is not None, as_of is not None and and_at is not None, plan].count(True) != 1 or (
        (as_of is None) != (and_at is None)
    ):
        raise typer.BadParameter("Name one thing to compare with: another unit, --as-of with --and, or --plan.")
    if levels is not None and not plan:
        raise typer.BadParameter("--levels belongs to --plan: all other comparisons are at all levels.")
    if plan:
        _compare_with_plan(context, unit, levels, as_json=as_json, as_csv=as_csv)
        return
    with _opened(context) as genealogy:
        one, age = genealogy.unit(unit), genealogy.age()
        units = [one]
        if as_of is not None and and_at is not None:
            rows = genealogy.compare_as_of(one, as_of, and_at)
            differ = bool(rows)
            before, after = (f"{one.label} at {at:%Y-%m-%d %H:%M:%S} UTC" for at in (as_of, and_at))
            document: dict[str, Any] = {"unit": one, "as_of": as_of, "and": and_at, "changes": rows}
        else:
            two = genealogy.unit(other or "")
            units.append(two)
            rows = genealogy.compare(one, two)
            differ = bool(rows)
            before, after = one.label, two.label
            document = {"unit_a": one, "unit_b": two, "changes": rows}
        document["is_cut_off"] = genealogy.is_cut_off(units)

    def human() -> None:
        if rows:
            out.print(drawn_changes(rows, before, after))
        out.print(changes_line(rows), highlight=False)

    if document["is_cut_off"]:
        warn("INCOMPLETE. Something is installed in a cycle, or deeper than trees go: what is there is not compared.")
    _print(document, rows, age, as_json=as_json, as_csv=as_csv, human=human)
    if exit_code and differ:
        raise typer.Exit(1)


def _compare_with_plan(context: typer.Context, unit: str, levels: int | None, *, as_json: bool, as_csv: bool) -> None:
    from ion_pipeline.publish.conformance import Verdict
    from ion_pipeline.terminal.abom_views import conformance_view

    exit_codes = {Verdict.CONFORMING: 0, Verdict.NOT_CONFORMING: 3, Verdict.NOT_KNOWN: 4, Verdict.NO_PLAN: 4}
    with _opened(context) as genealogy:
        one, age = genealogy.unit(unit), genealogy.age()
        found = genealogy.conformance(one, levels)
    rows = list(found.lines)
    version = "no plan" if found.plan_version is None else f"plan version {found.plan_version}"

    def human() -> None:
        out.print(plain(f"{one.label}, {one.status or 'no status'}, {version}, {found.unit_count} units in it"))
        if rows:
            out.print(conformance_view(rows))
        out.print(found.sentence)

    document = {
        "unit": one,
        "plan_version": found.plan_version,
        "verdict": found.verdict,
        "findings": dict(found.findings),
        "unit_count": found.unit_count,
        "compared_unit_count": found.compared_count,
        "left_out_unit_count": found.comparable_count - found.compared_count,
        "is_cut_off": found.is_cut_off,
        "lines": rows,
    }
    _print(document, rows, age, as_json=as_json, as_csv=as_csv, human=human)
    if as_csv:
        err.print(found.sentence)
    if code := exit_codes[found.verdict]:
        raise typer.Exit(code)


@abom.command("where-used", epilog=_examples("where-used PLT-GOOD-POWDER", "where-used PLT-SENSOR:PLT-Q0 --csv"))
def where_used(
    context: typer.Context,
    unit: Name,
    splits: Annotated[bool, typer.Option(help="Include what contains something that was split off it.")] = True,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """List every unit that contains a unit or lot, or something that was split off it, at any depth."""
    from ion_pipeline.terminal.abom_views import uses_view

    with _opened(context) as genealogy:
        found, age = genealogy.pieces(unit), genealogy.age()
        rows = genealogy.where_used(found, with_splits=splits)
    label = found[0].label

    def human() -> None:
        out.print(uses_view(rows) if rows else plain(f"{label} is not installed in any unit."), highlight=False)

    document = {"unit": found[0], "used_in": rows, "pieces": found}
    _print(document, rows, age, as_json=as_json, as_csv=as_csv, human=human)


@abom.command(epilog=_examples("recall PLT-BAD-POWDER", "recall PLT-POWDER PLT-BAD-POWDER --csv > affected.csv"))
def recall(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="[PART] LOT_OR_SERIAL",
            help="Lot or serial number; its part before it if several have it.",
            show_default=False,
        ),
    ],
    number: Annotated[str | None, typer.Argument(hidden=True, show_default=False)] = None,
    as_json: Json = False,
    as_csv: Csv = False,
) -> None:
    """List the top-level units that contain a bad lot or serial number, or a lot that was split off from it."""
    from ion_pipeline.terminal.abom_views import outside_view, recall_view

    with _opened(context) as genealogy:
        found, rows = genealogy.recall(name) if number is None else genealogy.recall(number, name)
        age = genealogy.age()
    for sentence in found.warnings:
        warn(f"INCOMPLETE. {sentence}")

    def human() -> None:
        if rows:
            out.print(recall_view(rows))
        if found.outside:
            out.print("In no tree with it:")
            out.print(outside_view(found.outside))
        out.print(plain(found.verdict))

    document = {
        "part_number": found.part,
        "lot_or_serial": found.name,
        "verdict": found.verdict,
        "affected": rows,
        "warnings": found.warnings,
        "in_no_tree": found.outside,
    }
    _print(document, rows, age, as_json=as_json, as_csv=as_csv, human=human)


def _opened(context: typer.Context) -> AbstractContextManager["Genealogy"]:
    from ion_pipeline.pipeline.resources import resources_of
    from ion_pipeline.publish.read import open_genealogy

    settings = command_settings(context, tenant=False)
    return open_genealogy(settings.published_dir, resources_of(settings))


def _print(
    document: dict[str, Any],
    rows: Sequence[dict[str, Any]],
    age: "DataAge",
    *,
    as_json: bool,
    as_csv: bool,
    human: Callable[[], None],
) -> None:
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv exclude each other.")
    if not as_csv:
        emit({**document, "data_as_of": age.read_at}, as_json=as_json, human=human)
        if not as_json:
            out.print(data_line(age.read_at))
        return
    err.print(data_line(age.read_at))
    if rows:
        # A file gets the text as it is in ION; on a terminal, control characters are made visible.
        on_terminal = sys.stdout.isatty()
        _write_row(list(rows[0]))
        for row in rows:
            _write_row([_cell(value, on_terminal=on_terminal) for value in row.values()])


def _write_row(cells: Sequence[Any]) -> None:
    sys.stdout.write(csv_line(cells) + "\n")


def _cell(value: Any, *, on_terminal: bool) -> Any:
    text = ";".join(map(str, value)) if isinstance(value, list) else value
    safe = cell(text)
    return visible(safe) if on_terminal and isinstance(safe, str) else safe
