"""What ION holds and how it is asked for: the schema, the tables that follow from it, and the queries for a tenant.

    catalog = known_catalog()                       # tables and columns, derived from the shipped schema
    plan = negotiate(schema, catalog, selection)    # compared with a tenant's own schema; print(plan) shows it

`schema.graphql` is what is publicly known of ION's schema, `overrides.yml` what no rule can derive from it. Nothing here
asks a tenant or reads a row.
"""

from ion_pipeline.catalog.catalog import Catalog, ChildList, Column, Entity, Table, build_catalog, known_catalog
from ion_pipeline.catalog.errors import SchemaMismatchError
from ion_pipeline.catalog.negotiate import negotiate
from ion_pipeline.catalog.plan import ChangeTracking, Drift, EntityPlan, EntityQuery, Plan, RowVersion
from ion_pipeline.catalog.schema import known_schema

__all__ = [
    "Catalog",
    "ChangeTracking",
    "ChildList",
    "Column",
    "Drift",
    "Entity",
    "EntityPlan",
    "EntityQuery",
    "Plan",
    "RowVersion",
    "SchemaMismatchError",
    "Table",
    "build_catalog",
    "known_catalog",
    "known_schema",
    "negotiate",
]
