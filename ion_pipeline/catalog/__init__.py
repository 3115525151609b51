"""What ION holds and how to query it: the schema, the tables derived from it, and the queries for one tenant.

    catalog = known_catalog()                       # tables and columns, derived from the shipped schema
    plan = negotiate(schema, catalog, selection)    # compares it with the tenant's schema; print(plan) shows it

`schema.graphql` holds what is publicly known of ION's schema, `overrides.yml` what no rule can derive from it. This
package sends no request and reads no row.
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
