"""Progress and results of downloads: a bar on a terminal, a line for each file elsewhere."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TransferSpeedColumn
from rich.table import Table
from rich.text import Text

from ion_pipeline import logs
from ion_pipeline.pipeline.attachments import FetchReport, FileProgress, FileResult, Folder
from ion_pipeline.plain import visible
from ion_pipeline.publish.attachments import Attachment
from ion_pipeline.terminal.text import plain, styled

_SHOWN_OWNERS = 2


class LineProgress:
    """Prints a line for each file; none where standard error holds JSON, because the log has one."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def started(self, number: int, name: str, size: int | None, arrived: int) -> None:
        """A download begins; prints nothing."""

    def advanced(self, number: int, size: int) -> None:
        """Bytes have arrived; prints nothing."""

    def finished(self, result: FileResult) -> None:
        """Print what has become of a file; nothing if it was there already."""
        if result.status != "kept" and not logs.is_json():
            self._console.print(result_line(result), highlight=False)


class BarProgress(LineProgress):
    """Shows a bar for each file that is being downloaded, and prints a line when it is there."""

    def __init__(self, console: Console, progress: Progress) -> None:
        super().__init__(console)
        self._progress = progress
        self._tasks = dict[int, TaskID]()

    def started(self, number: int, name: str, size: int | None, arrived: int) -> None:
        """Add the file's bar, or begin it again."""
        if number not in self._tasks:
            self._tasks[number] = self._progress.add_task(visible(name), total=size)
        self._progress.update(self._tasks[number], total=size, completed=arrived)

    def advanced(self, number: int, size: int) -> None:
        """Advance the file's bar."""
        self._progress.advance(self._tasks[number], size)

    def finished(self, result: FileResult) -> None:
        """Remove the file's bar."""
        if result.file_attachment_id in self._tasks:
            self._progress.remove_task(self._tasks.pop(result.file_attachment_id))
        super().finished(result)


@contextmanager
def download_progress(console: Console) -> Iterator[FileProgress]:
    """Progress on a console while the block runs."""
    if not console.is_terminal or logs.is_json():
        yield LineProgress(console)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=28),
        DownloadColumn(),
        TransferSpeedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        yield BarProgress(console, progress)


def result_line(result: FileResult) -> Text:
    """One line about one file."""
    if result.status == "failed":
        return styled(("✗", "red"), f" {_whose(result.owners)}: {result.error} {result.remedy}".rstrip())
    name, size = result.path.name if result.path else "", decimal(result.size or 0)
    compressed = f", compressed as the file host sends it ({result.encoding})" if result.encoding else ""
    return styled(("✓", "green"), f" {name}  ", (f"{size}, {_check(result)}{compressed}", "dim"))


def summary_line(report: FetchReport) -> Text:
    """The last line: how many files, and where they are."""
    if not report.files:
        return plain("There are no files.")
    fetched, kept, failed = (report.count(status) for status in ("fetched", "kept", "failed"))
    return plain(
        f"{fetched} {'file' if fetched == 1 else 'files'} downloaded ({decimal(report.received)}), {kept} "
        f"{'was' if kept == 1 else 'were'} there, {failed} failed: {report.folder}"
    )


def planned_view(files: Sequence[Attachment], folder: Folder) -> Table:
    """The files that a fetch would ask ION for, and what is there of them."""
    table = Table(box=None, pad_edge=False)
    for column in ("file", "name", "belongs to", "here"):
        table.add_column(column)
    for file in files:
        table.add_row(
            str(file.file_attachment_id), plain(file.filename or ""), plain(_whose(file.owners)), state(file, folder)
        )
    return table


def state(file: Attachment, folder: Folder) -> str:
    """What is there of a file: nothing (empty), part of it, an older version of it, or all of it."""
    record = folder.record(file.file_attachment_id)
    if record:
        return "yes" if file.etag in {None, record.etag} else "an older version"
    arrived = folder.arrived(file.file_attachment_id)
    return f"the first {decimal(arrived)}" if arrived else ""


def _whose(owners: Sequence[str]) -> str:
    more = f" and {len(owners) - _SHOWN_OWNERS} more" if len(owners) > _SHOWN_OWNERS else ""
    return f"{', '.join(owners[:_SHOWN_OWNERS])}{more}"


def _check(result: FileResult) -> str:
    return {"": "nothing to compare it with", "size": "size checked"}.get(result.checked, f"{result.checked} checked")
