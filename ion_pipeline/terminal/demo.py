"""The last output of `ion-pipeline demo`: what was read, one tree, where the result is, and what to try next."""

from pathlib import Path

from rich.console import Console

from ion_pipeline.pipeline.open_lake import open_lake
from ion_pipeline.pipeline.sandbox_world import kept_date, today
from ion_pipeline.publish import published_database
from ion_pipeline.settings import Settings
from ion_pipeline.terminal.text import styled
from ion_pipeline.terminal.tree import as_built_tree, showable_unit
from ion_pipeline.terminal.views import rows_view

_NEXT = (
    (".venv/bin/ion-pipeline abom recall PLT-BAD-POWDER", "which finished units contain this bad lot, and where"),
    (".venv/bin/ion-pipeline ask", "an engineer's questions, each answered with one select"),
    (".venv/bin/ion-pipeline report --recall PLT-BAD-POWDER", "the same as a page to print, with a CSV file"),
    (".venv/bin/ion-pipeline check", "what can be read from a tenant, and how its schema compares"),
    ("make dev", "the asset graph in Dagster, ready to run"),
)


def show_demo(settings: Settings, report: Path, console: Console) -> None:
    """Print the result of the demo; `report` is the page that was written of it."""
    lake = open_lake(settings)
    manifest = lake.read_manifest(lake.load_ids()[-1])
    entities = [(table.table, table.rows) for table in manifest.tables if table.table == table.read.entity]
    children = [table for table in manifest.tables if table.table != table.read.entity]
    console.print(rows_view(entities))
    console.print(
        f"{len(entities)} entities, {sum(rows for _, rows in entities):,} rows, and {len(children)} lists in them "
        f"with {sum(table.rows for table in children):,} rows, in {manifest.requests:,} requests.\n"
    )
    published = published_database(settings.published_dir)
    unit = showable_unit(published)
    tree = as_built_tree(published, unit) if unit is not None else None
    if tree is not None:
        console.print(styled(("The as-built tree of one unit", "bold")))
        console.print(tree)
        console.print()
    files = (str(published), "bold"), " (DuckDB), ", (str(published.parent / "parquet"), "bold")
    console.print(styled("The warehouse: ", *files))
    console.print(styled("The report: ", (str(report), "bold"), " (yield, defects, charts, suppliers, trees)\n"))
    kept = kept_date(settings)
    if kept and kept < today():
        console.print(f"The data ends before {kept}, the date of the first demo in {settings.data_dir}.")
        console.print("For a demo that ends today, delete this directory, or name another one with --data-dir.\n")
    console.print("Try next:")
    for command, purpose in _NEXT:
        console.print(styled("  ", (command, "bold"), f"\n      {purpose}"))
