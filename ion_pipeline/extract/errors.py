"""Errors of an extraction in which every request succeeded."""

from ion_pipeline.errors import IonPipelineError


class PagingError(IonPipelineError):
    """Pages do not follow each other as requested: rows are out of order or repeated, or there is no last page."""


class CountMismatchError(IonPipelineError):
    """An entity was read twice, and each time the number of rows differed from ION's count."""


class DuplicateKeyError(IonPipelineError):
    """ION returned two rows of an entity with the same key."""


class SuspiciousDeletesError(IonPipelineError):
    """So many rows are missing that a lost permission or another tenant is more likely than deletes."""


class TenantRestoredError(SuspiciousDeletesError):
    """ION has older versions of rows than before: the tenant was restored to an earlier state, or filled again."""
