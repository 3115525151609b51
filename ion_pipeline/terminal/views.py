"""Reports as tables for a terminal. Pure: a report in, something rich can print out."""

from collections.abc import Iterable

from rich import box
from rich.table import Table

from ion_pipeline.pipeline.check import CheckReport
from ion_pipeline.pipeline.status import StatusReport


def table(*headers: str, right: Iterable[str] = ()) -> Table:
    """An empty table in the house style; columns named in `right` are numbers."""
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for header in headers:
        grid.add_column(header, justify="right" if header in set(right) else "left", no_wrap=header in set(right))
    return grid


def check_view(report: CheckReport) -> Table:
    """What can be read, entity by entity."""
    grid = table("entity", "status", "rows", "paging", "differs from the catalog", right=["rows"])
    for entity in report.entities:
        rows = f"{entity.total_count:,}" if entity.total_count is not None else ""
        colour = {"readable": "green", "forbidden": "yellow", "absent": "dim"}.get(entity.status, "red")
        grid.add_row(entity.entity, f"[{colour}]{entity.status}[/{colour}]", rows, entity.paging, entity.drift_text)
    return grid


def status_view(report: StatusReport) -> Table:
    """The latest loads, newest first."""
    grid = table(
        "load", "read at (UTC)", "strategy", "tables", "rows", "requests", right=["tables", "rows", "requests"]
    )
    for load in report.loads:
        grid.add_row(
            load.load_id,
            f"{load.started_at:%Y-%m-%d %H:%M:%S}",
            load.strategy,
            str(load.tables),
            f"{load.rows:,}",
            f"{load.requests:,}",
        )
    return grid


def rows_view(rows: Iterable[tuple[str, int]], *, columns: int = 3) -> Table:
    """Names and counts, set in several columns so that sixty entities fit one screen."""
    cells = [(name, f"{count:,}") for name, count in rows]
    headers = [header for _ in range(columns) for header in ("table", "rows")]
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for header in headers:
        grid.add_column(header, justify="right" if header == "rows" else "left")
    height = -(-len(cells) // columns)
    for line in range(height):
        picked = [cells[line + height * column : line + height * column + 1] for column in range(columns)]
        grid.add_row(*(text for cell in picked for text in (cell[0] if cell else ("", ""))))
    return grid
