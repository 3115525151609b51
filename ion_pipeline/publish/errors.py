"""Errors of publishing."""

from ion_pipeline.errors import IonPipelineError, SettingsError
from ion_pipeline.warehouse.errors import WarehouseError


class PublishError(WarehouseError):
    """The published files cannot be written, or are not as expected. The files published before are unchanged."""


class NotPublishedError(IonPipelineError):
    """There is no published file, or it lacks a table or macro that this needs."""


class MissingDriverError(SettingsError):
    """The target needs a driver that is not installed."""
