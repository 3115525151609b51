"""The tenant's schema: ION is asked for it each time, and each one it has shown is kept under its hash.

Loads name the schema they were read with by that hash; `schemas/<hash>.graphql` in the data directory is its text.
Where ION does not show its schema any more (many servers are hardened so), the last one seen is gone by.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from graphql import GraphQLError as InvalidSchemaError
from graphql import GraphQLSchema, build_schema

from ion_pipeline.client import GraphQLError, IonClient, PermissionDeniedError, ServerError, canonical_sdl
from ion_pipeline.errors import IonPipelineError
from ion_pipeline.files.storage import replace_file

_FOLDER = "schemas"
# From here on the status itself says that the server failed; below it ION's words may well be a refusal.
_FAILED = 500


async def tenant_schema(client: IonClient, data_dir: Path, note: Callable[[str], None]) -> GraphQLSchema:
    """The tenant's schema as ION shows it, or as it last did where it refuses to.

    Args:
        client: The tenant.
        data_dir: Where its schemas are kept.
        note: Hears that an earlier one is gone by.

    Raises:
        IonPipelineError: The tenant cannot be asked, or it refuses and never showed its schema before.
    """
    try:
        return await client.introspect()
    except (GraphQLError, PermissionDeniedError, ServerError) as refusal:
        if isinstance(refusal, ServerError) and refusal.status >= _FAILED:
            raise
        kept = max(_kept(data_dir), key=_seen_at, default=None)
        if kept is None:
            raise
        note(f"{refusal.message} What it showed last is gone by ({_seen_at(kept):%Y-%m-%d %H:%M} UTC, {kept}).")
        return _read(kept)


def keep_schema(data_dir: Path, schema: GraphQLSchema) -> str:
    """Keep a schema that a load is read with, unless it is there already, and note that it was seen now.

    Returns:
        Its hash: the same for the same schema, in whatever order its types and fields are listed.

    Raises:
        IonPipelineError: It cannot be written.
    """
    text = canonical_sdl(schema)
    digest = hashlib.sha256(text.encode()).hexdigest()
    path = data_dir / _FOLDER / f"{digest}.graphql"
    try:
        if path.exists():
            path.touch()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            replace_file(path, text.encode())
    except OSError as error:
        raise IonPipelineError(f"{path} cannot be written ({error}).", remedy="Mend the cause, run again.") from error
    return digest


def _kept(data_dir: Path) -> list[Path]:
    return list((data_dir / _FOLDER).glob("*.graphql"))


def _seen_at(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def _read(path: Path) -> GraphQLSchema:
    try:
        return build_schema(path.read_text(encoding="utf-8"), assume_valid=True)
    except (OSError, UnicodeDecodeError, InvalidSchemaError, TypeError) as error:
        raise IonPipelineError(
            f"{path} is not readable ({error}), and ION does not show its schema.",
            remedy="Remove the file: then an earlier one is gone by; or ask ION's support to allow introspection.",
        ) from error
