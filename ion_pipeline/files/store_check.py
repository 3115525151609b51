"""Checks, before a refresh, that an object store can hold a lake: rights, and the conditions of writes."""

import secrets
from datetime import timedelta

from ion_pipeline.files.bucket import Bucket, Patience
from ion_pipeline.files.errors import TakenOverError
from ion_pipeline.files.store_errors import ignores_conditions

_PATIENCE = Patience(request=timedelta(seconds=10), repeating=timedelta(seconds=10))


def check_store(location: str) -> None:
    """Write, replace, read, list and delete an object under a prefix.

    Args:
        location: The URI of the lake.

    Raises:
        SettingsError: The library is not installed, or the URI is not one of a store.
        ObjectStoreError: The store does not answer, refuses a request, or ignores the condition of a write.
    """
    bucket = Bucket(location, _PATIENCE)
    bucket.names("")
    path = f"_check{bucket.suffix}"
    first = bucket.put_if(path, secrets.token_bytes(8), None)
    try:
        bucket.put_if(path, secrets.token_bytes(8), first)
        # Neither does the object not exist, nor is it the first one any more.
        for condition in (None, first):
            try:
                bucket.put_if(path, secrets.token_bytes(8), condition)
            except TakenOverError:
                continue
            raise ignores_conditions(location)
    finally:
        bucket.remove(path)
