with source as (
    select * from {{ source('ion_load_log', '_ion_schema_drift') }}
)

select
    load_id,
    entity,
    kind as drift_kind,
    field as field_name,
    catalog_type,
    tenant_type
from source
