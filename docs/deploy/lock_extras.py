"""Writes postgres.lock, delta.lock, object-store.lock and mcp.lock: what extras add to requirements.lock, with hashes.

    python docs/deploy/lock_extras.py

`make lock` runs it. The pins are copied from requirements-dev.lock, which the tests use.
"""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
# Each file with its packages, those included that the extras need themselves.
LOCKS = {
    "postgres.lock": ("adbc-driver-manager", "adbc-driver-postgresql", "dagster-postgres", "psycopg2-binary"),
    "delta.lock": ("arro3-core", "deltalake", "deprecated", "wrapt"),
    "object-store.lock": ("obstore",),
    "mcp.lock": (
        "cffi",
        "cryptography",
        "httpcore2",
        "httpx2",
        "mcp",
        "mcp-types",
        "pycparser",
        "pyjwt",
        "python-multipart",
        "sse-starlette",
        "truststore",
    ),
}
_PIN = re.compile(r"^([a-z0-9.-]+)==.*\n(?:    .*\n)*", re.MULTILINE)


def extras_lock(packages: tuple[str, ...]) -> str:
    """Return the content of a file.

    Raises:
        ValueError: A package is not in the lock.
    """
    pins = {match[1]: match[0] for match in _PIN.finditer((REPOSITORY / "requirements-dev.lock").read_text("utf-8"))}
    missing = [name for name in packages if name not in pins]
    if missing:
        raise ValueError(f"requirements-dev.lock does not have {', '.join(missing)}.")
    return "".join(pins[name] for name in packages)


if __name__ == "__main__":
    for name, packages in LOCKS.items():
        (Path(__file__).parent / name).write_text(extras_lock(packages), encoding="utf-8")
