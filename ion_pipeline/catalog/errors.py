"""Errors about differences between the catalog and a tenant's schema."""

from ion_pipeline.errors import IonPipelineError


class SchemaMismatchError(IonPipelineError):
    """A field's type at the tenant does not convert to the catalog's type without loss."""
