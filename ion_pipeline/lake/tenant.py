"""Records which tenant a data directory belongs to, so that one tenant's rows never reach another's warehouse."""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from ion_pipeline.errors import TenantMismatchError
from ion_pipeline.files.errors import write_error
from ion_pipeline.files.storage import sync
from ion_pipeline.lake.errors import LakeCorruptionError

_NAME = "tenant.json"


@dataclass(frozen=True, slots=True)
class Tenant:
    """An ION organisation at one API host.

    Attributes:
        organization_id: ION's id of the organisation, as text.
        api_host: Host name of the API; the same organisation id at two hosts means two tenants.
    """

    organization_id: str
    api_host: str

    def __str__(self) -> str:
        return f"organisation {self.organization_id} at {self.api_host}"


def read_tenant(data_dir: Path) -> Tenant | None:
    """The tenant that a data directory belongs to; None before the first load.

    Raises:
        LakeCorruptionError: `tenant.json` exists but is not readable.
    """
    path = data_dir / _NAME
    try:
        document = orjson.loads(path.read_bytes())
        return Tenant(str(document["organization_id"]), str(document["api_host"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LakeCorruptionError(
            f"{path} does not say which tenant the data belongs to ({type(error).__name__}).",
            remedy="Restore the file from a backup, or set ION_DATA_DIR to an empty directory.",
        ) from error


def claim_tenant(data_dir: Path, organization_id: str | int, api_host: str) -> Tenant:
    """Record that a data directory belongs to this tenant, or check that it does.

    The first claim is written atomically: if two processes claim an empty directory at the same time, one of them
    writes the file and the other is checked against it.

    Args:
        data_dir: The data directory; created if it does not exist.
        organization_id: ION's id of the organisation that the API key belongs to.
        api_host: Host of the API.

    Raises:
        TenantMismatchError: The directory belongs to another tenant.
        FileWriteError: `tenant.json` cannot be written.
        LakeCorruptionError: `tenant.json` is not readable.
    """
    tenant = Tenant(str(organization_id), api_host.strip().lower())
    path = data_dir / _NAME
    if read_tenant(data_dir) is None:
        try:
            _create(path, orjson.dumps(asdict(tenant), option=orjson.OPT_INDENT_2))
        except OSError as error:
            raise write_error(error, str(path)) from error
    owner = read_tenant(data_dir)
    if owner != tenant:
        raise TenantMismatchError(
            f"{data_dir} holds the data of {owner}, but the API key belongs to {tenant}.",
            remedy="Set ION_DATA_DIR to another directory for this tenant, or correct ION_ENVIRONMENT and the API key.",
        )
    return tenant


def _create(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        # Unlike a rename, a link does not overwrite: the first claim is kept.
        os.link(temporary, path)
    except FileExistsError:
        return
    finally:
        temporary.unlink(missing_ok=True)
    sync(path.parent)
