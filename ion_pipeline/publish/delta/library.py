"""delta-rs (`deltalake`): imported when it is needed, because it is optional, and its errors in our words."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from ion_pipeline.publish.errors import MissingDriverError, PublishError


def check_library() -> None:
    """Check that delta-rs is installed.

    Raises:
        MissingDriverError: It is not.
    """
    library()


def library(module: str = "deltalake") -> Any:
    """The library, or a module of it.

    Raises:
        MissingDriverError: It is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingDriverError(
            "The library for Delta tables is not installed.", remedy="pip install 'ion-pipeline[delta]'"
        ) from error


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turn what delta-rs raises about a table into an error of this package.

    Raises:
        PublishError: delta-rs raised an error other than one of the operating system.
    """
    try:
        yield
    except OSError:
        raise
    # delta-rs raises bare `Exception` for some errors of its core.
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise PublishError(
            f"The Delta table {path} cannot be written ({reason}).",
            remedy="Move the table's folder away, then publish again: it is then created anew. What was published "
            "before is unchanged.",
        ) from error
