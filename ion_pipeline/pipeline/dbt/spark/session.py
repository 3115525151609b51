"""The Spark session of a build: one in this process, or one on a server of Spark Connect."""

import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from ion_pipeline.pipeline.dbt.spark.request import Request

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

#: What the results or the time to plan them depend on; a session that a server provides gets them too.
CONFIGURATION = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # The recursions have limits of their own.
    "spark.sql.cteRecursionLevelLimit": "100000",
    "spark.sql.cteRecursionRowLimit": "-1",
    # Filters that follow from others are few here, and Spark spends minutes on looking for them in wide models.
    "spark.sql.constraintPropagation.enabled": "false",
}
# What a session on one machine is given, unless its spark-defaults.conf says otherwise.
_LOCAL = {
    "spark.log.level": "ERROR",
    # Without the UI nobody reads what is kept of past statements, and their plans need not be written out.
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.ui.retainedJobs": "1",
    "spark.ui.retainedStages": "1",
    "spark.ui.retainedTasks": "1",
    "spark.sql.ui.retainedExecutions": "1",
    "spark.sql.ui.explainMode": "simple",
}
# What Java needs of a page besides its bytes, rounded up.
_HEADER_BYTES = 64
_MB = 1 << 20
_OLDEST = (4, 3)
# The client itself tries for ten minutes and says nothing.
_ANSWER_SECONDS = 10.0


def open_session(request: Request) -> "SparkSession":
    """A session on the server of the request, or one in this process that listens on the loopback interface only.

    Raises:
        ConnectionError: No server answers, or its version is too old.
    """
    return _remote_session(request.remote) if request.remote else _local_session(request)


def refuse_older(version: str) -> None:
    """Raise ConnectionError if a version of Spark is too old for the models.

    Example:
        >>> refuse_older("4.0.1")
        Traceback (most recent call last):
        ConnectionError: the server has Spark 4.0.1, and the models need 4.3 or later.
    """
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        least = ".".join(map(str, _OLDEST))
        raise ConnectionError(f"the server has Spark {version}, and the models need {least} or later.")


def chosen_settings(defaults: Path) -> set[str]:
    """Names of the settings that a spark-defaults.conf has: a session's own would replace them.

    Args:
        defaults: The file, which need not exist.
    """
    if not defaults.is_file():
        return set()
    lines = (line.strip() for line in defaults.read_text(encoding="utf-8").splitlines())
    return {re.split(r"[\s=:]", line, maxsplit=1)[0] for line in lines if line and not line.startswith("#")}


def page_bytes(heap_mb: int) -> int:
    """Size of the pages that hash tables, sorts and broadcasts take, in bytes.

    Each takes one at least. Spark's own choice is 32 MB with 4 GB of heap: empty pages of tables with a few rows fill
    the heap, and the garbage collector works all the time. G1, Java's collector, divides the heap into about 2,048
    regions of a power of two, 1 to 32 MB. What takes half of a region or more has regions of its own: pages of exactly
    2 MB take twice their size, and a sort that stays within Spark's share of the heap ends for lack of memory.
    https://docs.oracle.com/en/java/javase/17/gctuning/garbage-first-g1-garbage-collector1.html

    Args:
        heap_mb: Size of the heap in MB.

    Example:
        >>> page_bytes(8192) == 2 * 1024 * 1024 - 64
        True
    """
    region_mb = min(1 << (max(heap_mb // 2048, 1).bit_length() - 1), 32)
    return max(region_mb // 2, 1) * _MB - _HEADER_BYTES


def _remote_session(url: str) -> "SparkSession":
    import grpc  # type: ignore[import-untyped]  # noqa: PLC0415 -- only a build on a server needs it
    from pyspark.sql import SparkSession  # noqa: PLC0415 -- it takes a second
    from pyspark.sql.connect.client import DefaultChannelBuilder  # noqa: PLC0415 -- as grpc

    channel = DefaultChannelBuilder(url).toChannel()
    try:
        grpc.channel_ready_future(channel).result(timeout=_ANSWER_SECONDS)
    except grpc.FutureTimeoutError:
        raise ConnectionError(f"no server of Spark Connect answers at {url}.") from None
    finally:
        channel.close()
    # dbt-spark asks for the session again, without the address, and each time for Hive, which is the server's choice.
    os.environ["SPARK_REMOTE"] = url
    warnings.filterwarnings("ignore", "Failed to set spark.sql.catalogImplementation")
    session = SparkSession.builder.remote(url).getOrCreate()
    refuse_older(session.version)
    for name, value in CONFIGURATION.items():
        session.conf.set(name, value)
    return session


def _local_session(request: Request) -> "SparkSession":
    from pyspark.sql import SparkSession  # noqa: PLC0415 -- it takes a second

    builder = SparkSession.builder.master(f"local[{request.threads}]").appName("ion-pipeline")
    folder = os.environ.get("SPARK_CONF_DIR")
    chosen = chosen_settings(Path(folder, "spark-defaults.conf")) if folder else set()
    default = {
        "spark.sql.shuffle.partitions": str(request.threads),
        "spark.buffer.pageSize": f"{page_bytes(int(request.memory.removesuffix('m')))}b",
        **_LOCAL,
    }
    fixed = {
        "spark.driver.memory": request.memory,
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.sql.catalogImplementation": "in-memory",
        "spark.local.dir": f"{request.folder}/scratch",
        "spark.sql.warehouse.dir": request.folder,
        **CONFIGURATION,
    }
    for name, value in ({name: value for name, value in default.items() if name not in chosen} | fixed).items():
        builder = builder.config(name, value)
    return builder.getOrCreate()
