"""Delta tables of a publish: one table for each mart, whose versions `latest.json` names.

A version of a table is one Parquet file that never changes and one entry in the table's log (`_delta_log`), which
delta-rs writes. `stage` brings the file into place and prepares the entry; `Staged.commit` adds the entries of all
tables to their logs; `clean` deletes what no publish that is kept needs. The same steps serve the published folder and
an object store, whose tables have logs and version numbers of their own.
"""

from ion_pipeline.publish.delta.clean import clean
from ion_pipeline.publish.delta.content import FOLDER, Content, contents, contents_of
from ion_pipeline.publish.delta.library import check_library
from ion_pipeline.publish.delta.stage import Entry, Staged, entries_of, stage

__all__ = [
    "FOLDER",
    "Content",
    "Entry",
    "Staged",
    "check_library",
    "clean",
    "contents",
    "contents_of",
    "entries_of",
    "stage",
]
