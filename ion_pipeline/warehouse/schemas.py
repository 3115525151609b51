"""The schemas of the warehouse, by name; those that are dbt's are not here."""

RAW = "raw"
HISTORY = "raw_history"
# Keys of the rows under export control, and views of the two above without those rows.
CONTROLLED = "raw_controlled"
RELEASED = "released"
RELEASED_HISTORY = "released_history"
