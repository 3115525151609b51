"""A world: all rows of a simulated ION tenant, with ION's field names, and its form on disk.

On disk a world is a directory with one `<rootConnection>.ndjson` per entity, `organization.json` and, for the factory's
world, `_truths.json` (expected answers for tests; the server never reads them). A link to rows of another entity is
`[{"id": 7}]`; rows without a root connection (attributes, sessions, designators, file attachments) are written inline
in full. `check` defines what a row must contain.
"""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from ion_pipeline.errors import IonPipelineError
from ion_pipeline.sandbox.check import check_row, row_key
from ion_pipeline.sandbox.model import Model, known_model, today_model

Row = dict[str, Any]

ORGANIZATION_FILE = "organization.json"
TRUTHS_FILE = "_truths.json"
DEFAULT_ORGANIZATION: Row = {"id": 1, "name": "Sandbox", "domain": "sandbox.example", "orgSchema": "sandbox"}


class WorldError(IonPipelineError):
    """A world is invalid; the message has the file, the line and the reason."""


@dataclass
class World:
    """All rows of a tenant.

    Attributes:
        tables: Root connection (`partInventories`) → rows. Absent fields are null.
        organization: The tenant itself.
        truths: The planted situations with their expected answers; never served.
    """

    tables: dict[str, list[Row]] = field(default_factory=dict)
    organization: Row = field(default_factory=lambda: dict(DEFAULT_ORGANIZATION))
    truths: Row = field(default_factory=dict)


def check_world(world: World, model: Model | None = None) -> None:
    """Checks every row of a world that did not come from files.

    Raises:
        WorldError: A row is invalid; the message has the root connection, the row's number (from 1) and the reason.
    """
    model = model or known_model()
    for root, rows in world.tables.items():
        _known_root(root, model, where=root)
        for _row in _checked(model, root, enumerate(rows, 1), where=root, unit="row"):
            pass
    _check_organization(world.organization, "organization")


def read_world(directory: Path, model: Model | None = None) -> World:
    """Reads and checks the world in a directory.

    Args:
        directory: Its files.
        model: The types of the tenant that is to serve it; those of the shipped schema by default.

    Raises:
        WorldError: A file does not belong to a world, or a row is invalid; the message has file, line and reason.
    """
    if not directory.is_dir():
        raise WorldError(
            f"{directory} is not a directory.", remedy="Name the directory of a world, with one file per entity."
        )
    model, world = model or known_model(), World()
    for path in sorted(directory.iterdir()):
        if path.name.startswith("."):
            continue
        if path.name in (ORGANIZATION_FILE, TRUTHS_FILE):
            value = _read_object(path)
            if path.name == TRUTHS_FILE:
                world.truths = value
            else:
                world.organization = DEFAULT_ORGANIZATION | value
                _check_organization(value, str(path))
            continue
        if path.suffix != ".ndjson":
            raise WorldError(
                f"{path} is not part of a world.",
                remedy=f"A world is <rootConnection>.ndjson files, {ORGANIZATION_FILE} and {TRUTHS_FILE}.",
            )
        _known_root(path.stem, model, where=str(path))
        with path.open("rb") as lines:
            world.tables[path.stem] = list(
                _checked(model, path.stem, _parsed(lines, path), where=str(path), unit="line")
            )
    return world


def write_world(world: World, directory: Path) -> list[Path]:
    """Writes the files of a world and replaces an earlier world in the directory; the same world gives the same bytes.

    Nulls are left out, because an absent field is null.

    Returns:
        The files written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for root in today_model().roots:
        (directory / f"{root}.ndjson").unlink(missing_ok=True)
    written = [directory / ORGANIZATION_FILE]
    written[0].write_bytes(_pretty(world.organization))
    if world.truths:
        written.append(directory / TRUTHS_FILE)
        written[-1].write_bytes(_pretty(world.truths))
    else:
        (directory / TRUTHS_FILE).unlink(missing_ok=True)
    for root, rows in sorted(world.tables.items()):
        if not rows:
            continue
        written.append(directory / f"{root}.ndjson")
        with written[-1].open("wb") as out:
            for row in rows:
                given = {name: value for name, value in row.items() if value is not None}
                out.write(orjson.dumps(given, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE))
    return written


def _pretty(value: Row) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _parsed(lines: Iterator[bytes] | Any, path: Path) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield number, orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise WorldError(f"{path}, line {number}: it is not JSON ({error}).") from None


def _checked(model: Model, root: str, numbered: Iterator[tuple[int, Any]], *, where: str, unit: str) -> Iterator[Row]:
    node = model.of_root(root)
    seen: dict[tuple[Any, ...], int] = {}
    for number, row in numbered:
        try:
            check_row(node.name, row, model)
        except ValueError as error:
            raise WorldError(f"{where}, {unit} {number}: {error}.") from None
        key = row_key(node, row)
        first = seen.setdefault(key, number)
        if first != number:
            shown = ", ".join(f"{name} {value}" for name, value in zip(node.key, key, strict=True))
            raise WorldError(f"{where}, {unit} {number}: {shown} is already on {unit} {first}.")
        yield row


def _known_root(root: str, model: Model, *, where: str) -> None:
    roots = model.roots
    if root not in roots:
        near = difflib.get_close_matches(root, roots, n=1)
        hint = f"Did you mean {near[0]}?" if near else "Name each file after one of ION's root connections."
        raise WorldError(f'{where}: ION has no root connection "{root}".', remedy=hint)


def _check_organization(organization: Any, where: str) -> None:
    try:
        check_row("Organization", {"id": 1} | organization)
    except ValueError as error:
        raise WorldError(f"{where}: {error}.") from None


def _read_object(path: Path) -> Row:
    try:
        value = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise WorldError(f"{path}: it is not JSON ({error}).") from None
    if type(value) is not dict:
        raise WorldError(f"{path}: it is not a JSON object.")
    return value
