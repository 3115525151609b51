"""What can be wrong with an extraction although every request succeeded."""

from ion_pipeline.errors import IonPipelineError


class PagingError(IonPipelineError):
    """Pages do not follow each other as asked for: out of order, repeated, or without an end."""


class CountMismatchError(IonPipelineError):
    """An entity was read twice and has another number of rows than ION says each time."""


class DuplicateKeyError(IonPipelineError):
    """ION gave two rows of an entity with the same key."""


class SuspiciousDeletesError(IonPipelineError):
    """So much is gone that it is rather a lost permission or another tenant than people's work."""


class TenantRestoredError(SuspiciousDeletesError):
    """ION has older rows than it once gave: it was restored to an earlier state, or filled anew."""
