"""Rows of one table to Parquet files: buffering, rolling over at a size, checksums as the bytes pass.

Knows nothing of loads, manifests or visibility.
"""

import hashlib
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ion_pipeline.lake import paths
from ion_pipeline.lake.manifest import FileEntry


@dataclass(frozen=True, slots=True)
class WriterOptions:
    """How much is held in memory and how files are cut.

    Attributes:
        buffer_bytes: Rows held in memory over all tables of a load, those being written and at most as many again that
            wait.
        row_group_rows: Rows per row group at most (the warehouse reads row groups of this size best).
        part_bytes: A file that has reached this size is closed and the next one begun.
    """

    buffer_bytes: int = 32 << 20
    row_group_rows: int = 122_880
    part_bytes: int = 128 << 20


class HashingSink:
    """A file that counts and hashes what is written to it, and is on the disk when it is closed.

    The interface is the part of Python's binary file that pyarrow uses.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._discarding = False
        self.bytes = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        """Write all of the data; an unbuffered file may take it in several pieces."""
        view = memoryview(data)
        if not self._discarding:
            written = 0
            while written < view.nbytes:
                written += self._stream.write(view[written:])
            self._hash.update(view)
            self.bytes += view.nbytes
        return view.nbytes

    def flush(self) -> None:
        """Nothing is held back here."""

    def tell(self) -> int:
        """Bytes written."""
        return self.bytes

    def writable(self) -> bool:
        """Always."""
        return True

    def discard(self) -> None:
        """From here on swallow everything: the file will be deleted and its disk may be full."""
        self._discarding = True

    def close(self) -> None:
        """Flush to the disk, where the stream has one below it, and close."""
        if self.closed:
            return
        self.closed = True
        try:
            if isinstance(self._stream, io.FileIO) and not self._discarding:
                os.fsync(self._stream.fileno())
        finally:
            self._stream.close()

    @property
    def sha256(self) -> str:
        """Checksum of what was written, hexadecimal."""
        return self._hash.hexdigest()


def _at_once(work: Callable[[], None], held_bytes: int) -> None:  # noqa: ARG001 - the signature of `Background.do`
    work()


class TableWriter:
    """The Parquet files of one table in one load.

    Args:
        folder: Final folder of the files, for their entries in the manifest.
        schema: Columns, the lake's own included.
        create: Opens a new file by its name.
        options: Sizes.
        files: What is there already.
        do: Does the writing, in the order asked for; at once by default. Takes the work and the bytes it holds.
    """

    def __init__(
        self,
        folder: str,
        schema: pa.Schema,
        create: Callable[[str], BinaryIO],
        options: WriterOptions,
        files: Sequence[FileEntry] = (),
        *,
        do: Callable[[Callable[[], None], int], None] = _at_once,
    ) -> None:
        self._do = do
        self._folder = folder
        self._schema = schema
        self._create = create
        self._options = options
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0
        self._parquet: pq.ParquetWriter | None = None
        self._sink: HashingSink | None = None
        self._part_rows = 0
        self._files = list(files)
        self.buffered_bytes = 0

    def append(self, batch: pa.RecordBatch) -> None:
        """Take rows; whole row groups go to the file."""
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self.buffered_bytes += batch.nbytes
        if self._waiting_rows >= self._options.row_group_rows:
            self.flush()

    def flush(self) -> None:
        """Write what waits as row groups; begin a new file when this one is large enough."""
        if not self._waiting_rows:
            return
        rows, held_bytes = pa.Table.from_batches(self._waiting, self._schema), self.buffered_bytes
        self._waiting, self._waiting_rows, self.buffered_bytes = [], 0, 0
        self._do(lambda: self._write(rows), held_bytes)

    def finish(self) -> tuple[FileEntry, ...]:
        """Close the files. A table without rows gets one file without rows: known to be empty, not unknown.

        What was flushed before has to be written.
        """
        if self._waiting_rows:
            raise AssertionError("rows wait to be flushed")
        if not self.settle():
            self._write(self._schema.empty_table())
        return self.settle()

    def settle(self) -> tuple[FileEntry, ...]:
        """Close the file with what has been flushed, so that it is on the disk. What comes later is another file."""
        self._close_part()
        return tuple(self._files)

    def discard(self) -> None:
        """Let go of everything without writing more."""
        self._waiting, self._waiting_rows, self.buffered_bytes = [], 0, 0
        if self._sink is not None:
            self._sink.discard()
        if self._parquet is not None:
            self._parquet.close()
        if self._sink is not None:
            self._sink.close()
        self._parquet = self._sink = None

    def _write(self, rows: pa.Table) -> None:
        if self._parquet is None or self._sink is None:
            self._sink = HashingSink(self._create(paths.part(len(self._files))))
            self._parquet = pq.ParquetWriter(self._sink, self._schema, compression="zstd")
        self._parquet.write_table(rows, row_group_size=self._options.row_group_rows)
        self._part_rows += rows.num_rows
        if self._sink.bytes >= self._options.part_bytes:
            self._close_part()

    def _close_part(self) -> None:
        if self._parquet is None or self._sink is None:
            return
        self._parquet.close()
        self._sink.close()
        name = paths.part(len(self._files))
        self._files.append(FileEntry(f"{self._folder}/{name}", self._part_rows, self._sink.bytes, self._sink.sha256))
        self._parquet, self._sink, self._part_rows = None, None, 0
