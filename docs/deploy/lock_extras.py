"""Writes a lock for each extra: what it adds to requirements.lock, with hashes.

    python docs/deploy/lock_extras.py              # each lock
    python docs/deploy/lock_extras.py PACKAGE…     # to standard output: a lock of these packages

`make lock` runs it. The pins are copied from requirements-dev.lock, which the tests use, and from pyspark.lock.
"""

import re
import sys
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
    "spark.lock": (
        "dbt-spark",
        "googleapis-common-protos",
        "grpcio-status",
        "numpy",
        "pandas",
        "py4j",
        "pyspark",
        "sqlparams",
        "zstandard",
    ),
}
# Spark and its small client have the same module, so the tests' environment has only one of them. Where both locks have
# a package, the later one counts.
SOURCES = ("requirements-dev.lock", "docs/deploy/pyspark.lock")
_PIN = re.compile(r"^([a-z0-9.-]+)==.*\n(?:    .*\n)*", re.MULTILINE)


def extras_lock(packages: tuple[str, ...]) -> str:
    """Return the content of a file.

    Raises:
        ValueError: A package is not in the lock.
    """
    text = "".join((REPOSITORY / source).read_text("utf-8") for source in SOURCES)
    pins = {match[1]: match[0] for match in _PIN.finditer(text)}
    missing = [name for name in packages if name not in pins]
    if missing:
        raise ValueError(f"{' and '.join(SOURCES)} do not have {', '.join(missing)}.")
    return "".join(pins[name] for name in packages)


if __name__ == "__main__":
    if sys.argv[1:]:
        sys.stdout.write(extras_lock(tuple(sys.argv[1:])))
    else:
        for name, packages in LOCKS.items():
            (Path(__file__).parent / name).write_text(extras_lock(packages), encoding="utf-8")
