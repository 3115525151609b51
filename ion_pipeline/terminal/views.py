"""Pure functions that turn reports into tables and sentences for a terminal."""

from collections.abc import Collection, Iterable

from rich import box
from rich.table import Table

from ion_pipeline.catalog.adopt import Additions
from ion_pipeline.counting import plural
from ion_pipeline.pipeline.check import CheckReport
from ion_pipeline.pipeline.dbt.report import BuildReport
from ion_pipeline.pipeline.read_checks import SCHEMA_CHECK
from ion_pipeline.pipeline.read_mode import RefreshPlan
from ion_pipeline.pipeline.status import StatusReport
from ion_pipeline.publish import PublishReport
from ion_pipeline.terminal.text import plain
from ion_pipeline.warehouse import CompactReport, LoadReport


def table(*headers: str, right: Collection[str] = ()) -> Table:
    """An empty table in the common style; the columns in `right` are numbers, the texts of the others may wrap."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for header in headers:
        is_right = header in right
        # A long word is broken rather than cut.
        grid.add_column(header, justify="right" if is_right else "left", no_wrap=is_right, overflow="fold")
    return grid


def check_view(report: CheckReport) -> Table:
    """What can be read, for each entity."""
    drift = "differs from the catalog"
    grid = table("entity", "status", "rows", "paging", drift, right=["rows"])
    for entity in report.entities:
        rows = f"{entity.total_count:,}" if entity.total_count is not None else ""
        colour = {"readable": "green", "forbidden": "yellow", "absent": "dim"}.get(entity.status, "red")
        grid.add_row(plain(entity.entity), plain(entity.status, colour), rows, entity.paging, plain(entity.drift_text))
    return grid


def warnings_of_read(warnings: Iterable[str]) -> list[str]:
    """What a refresh says at its end: the warnings of the read. Those of the models were said after the build.

    Args:
        warnings: As `RefreshResult` has them.
    """
    of_read = [warning for warning in warnings if warning.startswith("ion/")]
    drifted = [warning for warning in of_read if f": {SCHEMA_CHECK}: " in warning]
    if len(drifted) < 2:  # noqa: PLR2004 -- one is shorter than the sentence about it
        return of_read
    names = ", ".join(warning.partition(":")[0].removeprefix("ion/") for warning in drifted)
    return [
        *(warning for warning in of_read if warning not in drifted),
        f"This tenant's schema differs from the shipped one in {len(drifted)} entities ({names}): "
        "`ion-pipeline check` shows how.",
    ]


def plan_view(plan: RefreshPlan) -> Table:
    """What a refresh would read, for each entity."""
    grid = table("entity", "read", "why", "rows", "requests", right=["rows", "requests"])
    for task in plan.tasks:
        reads = task.requests > 0
        rows = f"{task.rows:,}" if reads else ""
        requests = f"{task.requests:,}" if reads else ""
        grid.add_row(
            plain(task.plan.name),
            task.action if reads else plain(task.action, "dim"),
            plain(task.reason),
            rows,
            requests,
        )
    return grid


def plan_line(plan: RefreshPlan) -> str:
    """A sentence that says how much a refresh would read."""
    reading = sum(task.requests > 0 for task in plan.tasks)
    return (
        f"{reading} of {len(plan.tasks)} entities would be read, in about {plan.estimated_requests:,} requests; "
        f"making the plan took {plan.requests}."
    )


def plan_document(plan: RefreshPlan) -> dict[str, object]:
    """The plan as a document for `--json`."""
    fields = ("action", "reason", "rows", "requests", "total", "changed", "since")
    return {
        "requests": plan.requests,
        "estimated_requests": plan.estimated_requests,
        "entities": [
            {"entity": task.plan.name} | {field: getattr(task, field) for field in fields} for task in plan.tasks
        ],
    }


def status_view(report: StatusReport) -> Table:
    """The latest loads, newest first."""
    grid = table("load", "read at (UTC)", "strategy", "rows", "requests", right=["rows", "requests"])
    for load in report.loads:
        grid.add_row(
            load.load_id,
            f"{load.started_at:%Y-%m-%d %H:%M}",
            load.strategy,
            f"{load.rows:,}",
            f"{load.requests:,}",
        )
    return grid


def status_lines(report: StatusReport) -> list[Table | str]:
    """What a data directory contains: its latest loads, and what is published."""
    if report.tenant is None:
        return [f"{report.data_dir} contains nothing yet. Run: ion-pipeline refresh"]
    at = f"{report.published_at:%Y-%m-%d %H:%M:%S} UTC" if report.published_at else ""
    return [
        status_view(report),
        f"{plural(report.load_count, 'load')} of {report.tenant} in {report.data_dir}",
        f"published {report.published} at {at}" if report.published else "nothing published yet",
        *(f"at the latest load: {doubt}" for doubt in report.clock_doubts),
        *(
            f"ION gives {one.accepted:,} rows of a list at once, fewer than ION_PAGE_SIZE ({one.asked:,}); "
            f"detected on {one.learned_at:%Y-%m-%d}"
            for one in (report.page_size,)
            if one
        ),
    ]


def rows_view(rows: Iterable[tuple[str, int]], *, columns: int = 2) -> Table:
    """Names and counts in several columns, so that sixty entities fit on one screen."""
    cells = [(name, f"{count:,}") for name, count in rows]
    grid = table(*(header for _ in range(columns) for header in ("table", "rows")), right=["rows"])
    height = -(-len(cells) // columns)
    for line in range(height):
        picked = [cells[line + height * column : line + height * column + 1] for column in range(columns)]
        grid.add_row(*(text for cell in picked for text in (cell[0] if cell else ("", ""))))
    return grid


def load_line(report: LoadReport) -> str:
    """A sentence that says what loading changed."""
    if not report.loads:
        return "The warehouse already has every load."
    changes = [change for applied in report.loads for change in applied.tables]
    inserted, updated, deleted = (
        sum(getattr(change, f"rows_{kind}") for change in changes) for kind in ("inserted", "updated", "deleted")
    )
    return (
        f"{plural(len(report.loads), 'load')} applied: {inserted:,} rows new, {updated:,} changed, {deleted:,} deleted."
    )


def rebuild_line(report: LoadReport) -> str:
    """A sentence that says what was rebuilt."""
    tables = report.tables.values()
    rows = sum(change.rows_after for change in tables)
    return f"Rebuilt from {plural(len(report.loads), 'load')}: {rows:,} rows in {len(tables)} tables."


def compact_line(report: CompactReport) -> str:
    """A sentence that says what compacting did or would do."""
    if not report.load_ids:
        return f"Nothing to compact: {report.kept} loads are unchanged."
    verb = "would be compacted" if report.dry_run else "compacted"
    return (
        f"{len(report.load_ids)} loads {verb}, {report.kept} kept: {report.rows_before:,} rows become "
        f"{report.rows_after:,} versions, {report.bytes_before:,} bytes become {report.bytes_after:,} "
        f"({report.bytes_saved:,} saved)."
    )


def build_line(report: BuildReport) -> str:
    """A sentence that says what dbt did."""
    models, tests = report.count("model", "success"), report.count("test")
    line = f"{models} models built, {tests} tests run in {report.seconds:.1f} s."
    return f"{line} {len(report.warnings)} warnings." if report.warnings else line


def adopted_lines(found: Additions) -> list[str]:
    """What was adopted, and what could not be."""
    kinds = {"field": found.fields, "enum value": found.values, "entity": found.entities, "list": found.lists}
    lines = [f"Adopted {kind} {name}" for kind, names in kinds.items() for name in names]
    return [*(lines or ["Nothing new to adopt."]), *(f"Not adopted: {line}." for line in found.refused)]


def publish_lines(report: PublishReport) -> list[str]:
    """Where the published files are."""
    lines = [f"Published {report.database}"]
    if report.delta_versions is not None:
        lines.append(f"Delta: {report.delta_versions} of {len(report.tables)} tables have a new version.")
    if report.sent:
        lines.append(f"Sent to {report.sent.target}: {report.sent.files} files, {report.sent.bytes:,} bytes.")
    return lines
