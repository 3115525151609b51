"""`ion-pipeline reconcile`: compare, repair, load, and say what had drifted."""

from collections.abc import Sequence
from dataclasses import asdict

from rich.table import Table

from ion_pipeline.pipeline.reconcile import ReconcileReport, reconcile_and_load
from ion_pipeline.settings import Settings
from ion_pipeline.terminal.frame import emit, err, out
from ion_pipeline.terminal.progress import reporter
from ion_pipeline.terminal.text import styled
from ion_pipeline.terminal.views import table


def show_reconcile(
    settings: Settings, *, entities: Sequence[str], accept_deletes: bool, dry_run: bool, as_json: bool
) -> None:
    """Reconcile the lake, apply what it read to `raw`, and print the result."""
    report = reconcile_and_load(
        settings, entities=entities, accept_deletes=accept_deletes, dry_run=dry_run, reporter=reporter(err)
    )
    for name, rows in report.unsettled.items():
        err.print(styled(("!", "yellow"), f" {name}: {rows:,} rows changed again while it was read."))

    def human() -> None:
        if report.drifted:
            out.print(drift_view(report))
        out.print(reconcile_line(report))

    emit({**asdict(report), "rows": report.rows, "drifted": report.drifted}, as_json=as_json, human=human)


def drift_view(report: ReconcileReport) -> Table:
    """Entities with rows that had drifted, and how."""
    numbers = ["rows", "changed", "missing", "surplus", "lists", "drifted"]
    grid = table("entity", *numbers, right=numbers)
    for entity in report.entities:
        if entity.drifted:
            grid.add_row(entity.entity, *(f"{getattr(entity, number):,}" for number in numbers))
    return grid


def reconcile_line(report: ReconcileReport) -> str:
    """What was compared and what came of it, in a sentence or two."""
    if not report.entities:
        return "Nothing to compare: no entity was read before whose changes are told by `_updated`."
    line = f"{report.rows:,} rows of {len(report.entities)} entities compared in {report.requests:,} requests: "
    line += f"{report.drifted:,} had drifted." if report.drifted else "none had drifted."
    if report.load_id:
        line += f" Repaired by load {report.load_id}."
    elif report.drifted:
        line += " Nothing was repaired (--dry-run)."
    return line
