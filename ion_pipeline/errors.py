"""The base class of every error that this package raises on purpose.

Each layer defines its subclasses in its own `errors` module, or next to the one function that raises them. Any other
exception is a bug and may show a traceback.
"""

from ion_pipeline.plain import visible


class IonPipelineError(Exception):
    """An error that a person can act on.

    Args:
        message: What happened and where, in one line. It never contains a secret; control characters are made visible.
        remedy: What to do about it, in one sentence; empty if nothing can be done.

    Attributes:
        exit_code: Exit code of the command line: 2 for settings and usage, 1 for everything else.
    """

    exit_code: int = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        # It may quote ION or a database, and it is shown in terminals, logs, Dagster's pages and chats.
        self.message, self.remedy = visible(message), visible(remedy)
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()


class SettingsError(IonPipelineError):
    """A setting is missing or wrong, or the command's options contradict each other."""

    exit_code = 2


class TenantMismatchError(SettingsError):
    """The data directory belongs to another ION tenant than the one that answers."""
