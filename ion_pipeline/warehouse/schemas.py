"""Names of the schemas of the warehouse, without the schemas that dbt builds."""

RAW = "raw"
HISTORY = "raw_history"
# Keys of the rows under export control, and views of `raw` and `raw_history` without those rows.
CONTROLLED = "raw_controlled"
RELEASED = "released"
RELEASED_HISTORY = "released_history"
