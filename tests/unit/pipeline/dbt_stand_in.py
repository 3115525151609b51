"""A fake that replaces dbt, which takes seconds to start."""

import sys
from collections.abc import Callable
from pathlib import Path

from ion_pipeline.pipeline import dbt
from ion_pipeline.settings import Settings, load_settings

# What the interpreter is for `dbt.run`: says who it is and never ends by itself.
STAND_IN = """
import os, runpy, sys
_, safe_path, child, results, alive, *_ = sys.argv
runpy.run_path(child)["end_with_parent"](int(alive))
print(os.getpid(), flush=True)
os.read(os.pipe()[0], 1)
"""


def stand_in(folder: Path) -> Path:
    path = folder / "interpreter"
    path.write_text(f"#!{sys.executable}\n{STAND_IN}")
    path.chmod(0o700)
    return path


def settings_in(folder: Path) -> Settings:
    return load_settings(environment="embedded", data_dir=folder)


def run_stand_in(folder: Path, on_line: Callable[[str], None]) -> None:
    real, sys.executable = sys.executable, str(stand_in(folder))
    try:
        dbt.run(settings_in(folder), ["build"], on_line=on_line)
    finally:
        sys.executable = real
