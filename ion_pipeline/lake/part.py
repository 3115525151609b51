"""Writes the rows of one table to Parquet files: buffers rows, limits file sizes, computes checksums while writing.

This module does not know loads, manifests or visibility.
"""

import hashlib
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ion_pipeline.files.upload import Upload
from ion_pipeline.lake import paths
from ion_pipeline.lake.manifest import FileEntry


@dataclass(frozen=True, slots=True)
class WriterOptions:
    """How many rows are held in memory, and how large files become.

    Attributes:
        buffer_bytes: Bytes of rows held in memory over all tables of a load; at most half of them wait to be flushed,
            the rest is being written.
        row_group_rows: Maximum rows of a row group (the warehouse reads row groups of this size best).
        part_bytes: When a file has reached this size, it is closed and the next file is begun.
    """

    buffer_bytes: int = 32 << 20
    row_group_rows: int = 122_880
    part_bytes: int = 128 << 20


class HashingSink:
    """A file that counts and hashes the bytes written to it, and is flushed to the disk, or sent, when it is closed.

    It has those methods of Python's binary files that pyarrow uses.
    """

    def __init__(self, stream: BinaryIO | Upload) -> None:
        self._stream = stream
        self._hash = hashlib.sha256()
        self._discarding = False
        self.bytes = 0
        self.closed = False

    def write(self, data: bytes) -> int:
        """Write all of the data; an unbuffered file may need several writes."""
        view = memoryview(data)
        if not self._discarding:
            written = 0
            while written < view.nbytes:
                written += self._stream.write(view[written:])
            self._hash.update(view)
            self.bytes += view.nbytes
        return view.nbytes

    def flush(self) -> None:
        """Do nothing: no bytes are buffered."""

    def tell(self) -> int:
        """The number of bytes written."""
        return self.bytes

    def writable(self) -> bool:
        """Always true."""
        return True

    def discard(self) -> None:
        """Ignore all further data: the file will be deleted, and its disk may be full."""
        self._discarding = True

    def close(self) -> None:
        """Flush to the disk, if the stream is a local file, and close."""
        if self.closed:
            return
        self.closed = True
        if self._discarding and isinstance(self._stream, Upload):
            self._stream.abandon()
            return
        try:
            if isinstance(self._stream, io.FileIO) and not self._discarding:
                os.fsync(self._stream.fileno())
        finally:
            self._stream.close()

    @property
    def sha256(self) -> str:
        """Checksum of the bytes written, hexadecimal."""
        return self._hash.hexdigest()


def _at_once(work: Callable[[], None], held_bytes: int) -> None:  # noqa: ARG001 - the signature of `Background.do`
    work()


class TableWriter:
    """The Parquet files of one table in one load.

    Args:
        folder: Final folder of the files, for their entries in the manifest.
        schema: Columns, the lake's own included.
        create: Opens a new file by its name.
        options: Limits for memory and file sizes.
        files: Files that the load has already written.
        suffix: Part of the names of new files.
        do: Does the writing, in order; called with the work and the bytes that it holds. By default the work is done at
            once.
    """

    def __init__(
        self,
        folder: str,
        schema: pa.Schema,
        create: Callable[[str], BinaryIO],
        options: WriterOptions,
        files: Sequence[FileEntry] = (),
        *,
        suffix: str = "",
        do: Callable[[Callable[[], None], int], None] = _at_once,
    ) -> None:
        self._do = do
        self._suffix = suffix
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
        """Add rows; whole row groups are written to the file."""
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        self.buffered_bytes += batch.nbytes
        if self._waiting_rows >= self._options.row_group_rows:
            self.flush()

    def flush(self) -> None:
        """Write the waiting rows as row groups; close the file if it is large enough."""
        if not self._waiting_rows:
            return
        rows, held_bytes = pa.Table.from_batches(self._waiting, self._schema), self.buffered_bytes
        self._waiting, self._waiting_rows, self.buffered_bytes = [], 0, 0
        self._do(lambda: self._write(rows), held_bytes)

    def finish(self) -> tuple[FileEntry, ...]:
        """Close the files. A table without rows gets one file without rows, which shows that it was read.

        The caller must have waited until all flushed rows are written.
        """
        if self._waiting_rows:
            raise AssertionError("finish() was called before flush()")
        if not self.settle():
            self._write(self._schema.empty_table())
        return self.settle()

    def settle(self) -> tuple[FileEntry, ...]:
        """Close the current file, so that the flushed rows are on the disk; later rows go to another file."""
        self._close_part()
        return tuple(self._files)

    def discard(self) -> None:
        """Discard all waiting rows and close the file without writing more."""
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
            self._sink = HashingSink(self._create(self._name()))
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
        self._files.append(
            FileEntry(f"{self._folder}/{self._name()}", self._part_rows, self._sink.bytes, self._sink.sha256)
        )
        self._parquet, self._sink, self._part_rows = None, None, 0

    def _name(self) -> str:
        return paths.part(len(self._files), self._suffix)
