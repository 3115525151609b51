"""Errors of the lake. Errors about files are in `ion_pipeline.files`, about the tenant in `ion_pipeline.errors`."""

from ion_pipeline.errors import IonPipelineError


class LakeCorruptionError(IonPipelineError):
    """A committed load differs from its manifest: a file is missing, truncated or altered."""
