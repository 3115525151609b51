"""What can go wrong in the lake, beside its files (`ion_pipeline.files`) and its tenant (`ion_pipeline.errors`)."""

from ion_pipeline.errors import IonPipelineError


class LakeCorruptionError(IonPipelineError):
    """A committed load is not what its manifest says: a file is missing, cut short or altered."""
