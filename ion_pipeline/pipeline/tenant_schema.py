"""Reads the tenant's schema by introspection, and stores each version under its hash.

A load names the schema that it was read with by the hash; `schemas/<hash>.graphql` in the data directory is its text,
and `schemas/<digest>.answer` the hash of the schema in an answer of ION.
If ION no longer allows introspection (many hardened servers disable it), the most recently stored schema is used
instead.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from graphql import GraphQLError as InvalidSchemaError
from graphql import GraphQLSchema, build_schema

from ion_pipeline.client import (
    ANSWER_DIGEST,
    GraphQLError,
    IonClient,
    PermissionDeniedError,
    ServerError,
    canonical_sdl,
)
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.files.storage import replace_file

_FOLDER = "schemas"
# From this HTTP status on, the server has failed; below it, the error may mean that introspection is not allowed.
_SERVER_FAILED = 500


async def tenant_schema(client: IonClient, data_dir: Path, note: Callable[[str], None]) -> GraphQLSchema:
    """The tenant's schema, or the most recently stored one if ION refuses to show it.

    Args:
        client: The client of the tenant.
        data_dir: The data directory that stores the schemas.
        note: Receives a message if a stored schema is used.

    Raises:
        IonPipelineError: The request fails, or ION refuses it and no schema is stored.
    """
    try:
        return await client.introspect()
    except (GraphQLError, PermissionDeniedError, ServerError) as refusal:
        if isinstance(refusal, ServerError) and refusal.status >= _SERVER_FAILED:
            raise
        stored = max(_stored(data_dir), key=_seen_at, default=None)
        if stored is None:
            raise
        note(
            f"{refusal.message} The schema stored at {_seen_at(stored):%Y-%m-%d %H:%M} UTC is used instead ({stored})."
        )
        return _read(stored)


def keep_schema(data_dir: Path, schema: GraphQLSchema) -> str:
    """Store the schema of a load, or update the modification time of its file if it is already stored.

    Returns:
        The hash of the schema, which does not depend on the order of its types and fields.

    Raises:
        IonPipelineError: The file cannot be written.
    """
    folder = data_dir / _FOLDER
    # To print a schema takes as long as to read a hundred changes: the same answer needs it once.
    answer = schema.extensions.get(ANSWER_DIGEST)
    known = folder / f"{answer}.answer" if answer else None
    try:
        if known and known.is_file() and (path := folder / f"{known.read_text('ascii', 'replace')}.graphql").is_file():
            path.touch()
            return path.stem
        text = canonical_sdl(schema).encode()
        path = folder / f"{hashlib.sha256(text).hexdigest()}.graphql"
        folder.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.touch()
        else:
            replace_file(path, text)
        if known:
            replace_file(known, path.stem.encode())
    except OSError as error:
        raise IonPipelineError(
            f"{folder} cannot be written ({error}).", remedy="Fix the cause, then run again."
        ) from error
    return path.stem


def _stored(data_dir: Path) -> list[Path]:
    return list((data_dir / _FOLDER).glob("*.graphql"))


def _seen_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _read(path: Path) -> GraphQLSchema:
    try:
        return build_schema(path.read_text(encoding="utf-8"), assume_valid=True)
    except (OSError, UnicodeDecodeError, InvalidSchemaError, TypeError) as error:
        raise IonPipelineError(
            f"{path} cannot be read ({error}), and ION does not show its schema.",
            remedy="Remove the file to use an earlier stored schema, or ask ION's support to allow introspection.",
        ) from error
