"""The log of a Delta table: one JSON file for each version, and checkpoints with the state at a version.

`_delta_log/<version>.json` commits a version; `<version>.checkpoint.parquet` repeats the state, so that readers need no
earlier entries. Each version written here has both.
https://github.com/delta-io/delta/blob/master/PROTOCOL.md#delta-log-entries
"""

import re
from dataclasses import dataclass
from pathlib import Path

from ion_pipeline.files.storage import Storage

LOG = "_delta_log"
LAST_CHECKPOINT = "_last_checkpoint"
_ENTRY = re.compile(r"(\d{20})\.(json|checkpoint\.parquet)")


@dataclass(frozen=True, slots=True)
class Log:
    """The files of a table's log, by name.

    Attributes:
        names: Names of all files in the folder.
    """

    names: tuple[str, ...] = ()

    @property
    def latest(self) -> int | None:
        """The version that readers open if they ask for none.

        None if there is no table, or if the log cannot be read because its deletion was interrupted.
        """
        commits, checkpoint = self._versions("json"), self.checkpoint()
        version = checkpoint if checkpoint is not None else (0 if 0 in commits else None)
        while version is not None and version + 1 in commits:
            version += 1
        return version

    def checkpoint(self, until: int | None = None) -> int | None:
        """The newest version with a checkpoint, optionally among those up to a version."""
        return max(
            (version for version in self._versions("checkpoint.parquet") if until is None or version <= until),
            default=None,
        )

    def since(self, version: int) -> list[str]:
        """Names of the entries from a version on, sorted."""
        return [name for name in self.names if (entry := _ENTRY.fullmatch(name)) and int(entry[1]) >= version]

    def outdated(self, oldest: int) -> list[str]:
        """Names of files that reading the versions from `oldest` on does not need, sorted."""
        start = self.checkpoint(oldest)
        needed = {*self.since(start or 0), LAST_CHECKPOINT}
        return [name for name in self.names if name not in needed]

    def fetch(self, storage: Storage, table: str, folder: Path) -> set[str]:
        """Copy what is needed to open the latest version to `folder/_delta_log`; return the names of the copies."""
        (folder / LOG).mkdir(parents=True)
        names = self.since(self.checkpoint() or 0)
        for name in names:
            (folder / LOG / name).write_bytes(storage.read(f"{table}/{LOG}/{name}"))
        return set(names)

    def _versions(self, kind: str) -> set[int]:
        return {int(entry[1]) for name in self.names if (entry := _ENTRY.fullmatch(name)) and entry[2] == kind}


def log_of(storage: Storage, table: str) -> Log:
    """The log of the table in a folder."""
    return Log(tuple(storage.names(f"{table}/{LOG}")))
