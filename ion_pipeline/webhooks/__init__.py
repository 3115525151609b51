"""A receiver of ION's webhooks: events in, kept until a refresh has read what they announce.

An event only says that something changed; what changed is read from ION as in any refresh. So a lost, repeated, late or
forged event can cost a request but never a wrong row. The receiver knows nothing of Dagster: a sensor reads the inbox.
"""

from ion_pipeline.webhooks.app import ReceiverOptions, receiver
from ion_pipeline.webhooks.event import Event, MalformedEventError, parse
from ion_pipeline.webhooks.inbox import Inbox, StoredEvent
from ion_pipeline.webhooks.resources import entities_named
from ion_pipeline.webhooks.signature import ALGORITHMS, Algorithm, is_signed

__all__ = [
    "ALGORITHMS",
    "Algorithm",
    "Event",
    "Inbox",
    "MalformedEventError",
    "ReceiverOptions",
    "StoredEvent",
    "entities_named",
    "is_signed",
    "parse",
    "receiver",
]
