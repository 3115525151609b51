"""Worlds on disk: a directory with one ``<rootConnection>.ndjson`` per entity.

The oracle has its own reader and writer, so that a fault in the product's reader cannot go unnoticed.  The module does
not interpret rows.
"""

import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]
World = dict[str, list[Row]]


def read_world_dir(path: Path | str) -> World:
    """Read every ``*.ndjson`` of a world; keys are root connection names, rows have ION's field names.

    Raises:
        FileNotFoundError: if the directory holds no entity at all.
    """
    files = sorted(Path(path).glob("*.ndjson"))
    if not files:
        raise FileNotFoundError(f"no <rootConnection>.ndjson in {path}")
    return {file.stem: _rows(file) for file in files}


def read_truths(path: Path | str) -> dict[str, Any]:
    """Read the planted truths from the directory of a world."""
    truths: dict[str, Any] = json.loads((Path(path) / "_truths.json").read_bytes())
    return truths


def write_world_dir(world: World, path: Path | str) -> Path:
    """Write a world as NDJSON files; returns the directory."""
    directory = Path(path)
    directory.mkdir(parents=True, exist_ok=True)
    for name, rows in world.items():
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (directory / f"{name}.ndjson").write_text(text, encoding="utf-8", newline="\n")
    return directory


def _rows(file: Path) -> list[Row]:
    # Not str.splitlines(): a JSON text may contain unescaped U+2028 and the like, which are not line ends.
    return [json.loads(line) for line in file.read_bytes().split(b"\n") if line.strip()]
