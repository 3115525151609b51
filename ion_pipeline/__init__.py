"""ion-pipeline: copies a First Resonance ION tenant into an open warehouse.

Data flows one way: client > extract > lake > warehouse > dbt > publish. Each package imports only those to its left;
`pipeline` combines them, `defs` (Dagster) and `cli` call it. `sandbox` is a local ION; only the code that starts it
imports it.
"""

import os

__version__ = "0.1.0"

# Arrow reads this when it is first imported. Its own allocator keeps freed memory for reuse: 20 MB of a read's 270 MB.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
