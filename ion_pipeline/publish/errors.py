"""What can go wrong in publishing."""

from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.warehouse.errors import WarehouseError


class PublishError(WarehouseError):
    """The published files could not be written or do not hold what they should. The files before are unchanged."""


class NotPublishedError(IonPipelineError):
    """There is no published file, or it was published before it could answer this."""


class MissingDriverError(SettingsError):
    """What is set or asked for needs a driver that is not installed."""
