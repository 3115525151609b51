"""The root of every error this package raises on purpose.

Each layer keeps its own subclasses in its own `errors` module (or beside the one function that raises them). What is
not derived from `IonPipelineError` is a bug and may show a traceback.
"""

from ion_pipeline.plain import visible


class IonPipelineError(Exception):
    """Something went wrong that a person can act on.

    Args:
        message: What happened and where, in one line. Never holds a secret; control characters in it are written out.
        remedy: What to do about it, in one sentence; empty when nothing can be done.

    Attributes:
        exit_code: What the command line exits with: 2 for settings and usage, 1 for everything else.
    """

    exit_code: int = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        # Part of it may be ION's or a database's words, and it goes to terminals, logs, Dagster's pages and chats.
        self.message, self.remedy = visible(message), visible(remedy)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class SettingsError(IonPipelineError):
    """A setting is missing or wrong, or the command was called in a way that cannot work."""

    exit_code = 2


class TenantMismatchError(SettingsError):
    """The data directory belongs to another ION tenant than the one that answers."""
