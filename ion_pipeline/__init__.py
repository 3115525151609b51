"""ion-pipeline: a First Resonance ION tenant as an open warehouse.

Data flows one way: client > extract > lake > warehouse > dbt > publish. Each package imports only those to its left;
`pipeline` joins them, `defs` (Dagster) and `cli` drive it. `sandbox` is a local ION and is imported by nothing but
the code that starts it.
"""

import os

__version__ = "0.1.0"

# Read by Arrow when it is first imported. Its own allocator keeps what was freed for reuse: 20 MB of a read's 270.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
