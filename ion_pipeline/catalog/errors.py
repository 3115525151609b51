"""What can go wrong between the catalog and a tenant's schema."""

from ion_pipeline.errors import IonPipelineError


class SchemaMismatchError(IonPipelineError):
    """A field has another type at the tenant than in the catalog, and does not convert without loss."""
