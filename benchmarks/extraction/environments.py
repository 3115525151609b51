"""Virtual environments of the other tools: exact versions, created once and kept in the cache folder."""

import subprocess
import sys
from pathlib import Path

PINS = {
    # dlt's documentation names this DuckDB as verified. With 2.0.0 the text of dlt's INSERT statements costs it twice
    # the CPU and four to ten times the memory.
    "dlt": ("dlt[duckdb]==1.31.0", "duckdb==1.3.2"),
    "dlt-parquet": ("dlt[duckdb,parquet]==1.31.0", "duckdb==1.3.2"),
    "singer": ("singer-sdk==0.54.9", "target-duckdb==0.8.0", "duckdb==2.0.0"),
}


class NotInstallableError(Exception):
    """A tool cannot be installed here; the text says why."""


def python_of(tool: str, cache: Path) -> Path:
    """Return the interpreter of a tool's environment; create the environment if it does not exist.

    Raises:
        NotInstallableError: pip failed.
    """
    folder = cache / tool
    python, done = folder / "bin" / "python", folder / "installed.txt"
    wanted = "\n".join(PINS[tool])
    if done.is_file() and done.read_text(encoding="utf-8") == wanted:
        return python
    commands: tuple[list[str | Path], ...] = (
        [sys.executable, "-m", "venv", "--clear", folder],
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PINS[tool]],
    )
    for command in commands:
        outcome = subprocess.run(command, capture_output=True, text=True, check=False)
        if outcome.returncode:
            raise NotInstallableError(outcome.stderr.strip()[-200:])
    done.write_text(wanted, encoding="utf-8")
    return python
