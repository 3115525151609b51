"""A receiver of ION's webhooks: it stores events until a refresh has read what they announce.

An event only says that something changed; the refresh reads the change from ION as usual. So a lost, repeated, late or
forged event can cost a request but never causes a wrong row. The receiver does not depend on Dagster: a sensor or a
`Watcher` reads the inbox.
"""

from ion_pipeline.webhooks.app import ReceiverOptions, receiver
from ion_pipeline.webhooks.event import Event, MalformedEventError, parse
from ion_pipeline.webhooks.inbox import Inbox, StoredEvent
from ion_pipeline.webhooks.resources import entities_named
from ion_pipeline.webhooks.signature import ALGORITHMS, Algorithm, is_signed
from ion_pipeline.webhooks.watcher import Due, Pace, Watcher

__all__ = [
    "ALGORITHMS",
    "Algorithm",
    "Due",
    "Event",
    "Inbox",
    "MalformedEventError",
    "Pace",
    "ReceiverOptions",
    "StoredEvent",
    "Watcher",
    "entities_named",
    "is_signed",
    "parse",
    "receiver",
]
