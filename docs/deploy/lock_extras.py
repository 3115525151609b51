"""Writes docs/deploy/postgres.lock: what the extras `postgres` and `server` add to requirements.lock, with hashes.

    python docs/deploy/lock_extras.py

`make lock` runs it. The pins are copied from requirements-dev.lock, which the tests use.
"""

import re
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
TARGET = Path(__file__).parent / "postgres.lock"
# The two extras, and the driver that dagster-postgres needs.
PACKAGES = ("adbc-driver-manager", "adbc-driver-postgresql", "dagster-postgres", "psycopg2-binary")
_PIN = re.compile(r"^([a-z0-9.-]+)==.*\n(?:    .*\n)*", re.MULTILINE)


def extras_lock() -> str:
    """Return the file's content.

    Raises:
        ValueError: A package is not in the lock.
    """
    pins = {match[1]: match[0] for match in _PIN.finditer((REPOSITORY / "requirements-dev.lock").read_text("utf-8"))}
    missing = [name for name in PACKAGES if name not in pins]
    if missing:
        raise ValueError(f"requirements-dev.lock does not have {', '.join(missing)}.")
    return "".join(pins[name] for name in PACKAGES)


if __name__ == "__main__":
    TARGET.write_text(extras_lock(), encoding="utf-8")
