"""Names of the databases of a publish, and of the schemas in the published file."""

from ion_pipeline.warehouse import ENTITY_SCHEMA

#: The alias that the warehouse is attached under.
SOURCE = "warehouse"
#: The alias that the new file is attached under: the name that DuckDB gives it when an analyst opens `ion.duckdb`.
TARGET = "ion"
# DuckDB refuses `ion.parts` as ambiguous where the catalog and a schema are both called ion. In the default schema of
# the catalog the same name is unambiguous.
_DEFAULT_SCHEMA = "main"


def schema_in_file(schema: str) -> str:
    """The schema of the published file that holds the tables of a public schema."""
    return _DEFAULT_SCHEMA if schema == ENTITY_SCHEMA else schema


def public_schema(schema: str) -> str:
    """The public schema of the tables in a schema of the published file."""
    return ENTITY_SCHEMA if schema == _DEFAULT_SCHEMA else schema
