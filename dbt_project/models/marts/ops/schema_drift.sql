with drift as (
    select * from {{ ref('stg_ion__schema_drift') }}
),

loads as (
    select * from {{ ref('stg_ion__loads') }}
),

latest as (
    select max(load_id) as load_id from loads
),

seen as (
    select
        drift.entity,
        drift.drift_kind,
        drift.field_name,
        drift.catalog_type,
        drift.tenant_type,
        min(loads.read_at) as first_seen_at,
        max(loads.read_at) as last_seen_at,
        count(distinct drift.load_id) as load_count,
        max(drift.load_id) as last_load_id
    from drift
    inner join loads on drift.load_id = loads.load_id
    group by drift.entity, drift.drift_kind, drift.field_name, drift.catalog_type, drift.tenant_type
)

select
    seen.entity || ': ' || seen.drift_kind || ' ' || seen.field_name || ', '
    || coalesce(seen.catalog_type, 'nothing') || ' -> ' || coalesce(seen.tenant_type, 'nothing') as schema_drift_key,
    seen.entity,
    seen.drift_kind,
    seen.field_name,
    seen.catalog_type,
    seen.tenant_type,
    seen.first_seen_at,
    seen.last_seen_at,
    seen.load_count,
    seen.last_load_id = latest.load_id as is_in_latest_load
from seen
cross join latest
order by seen.entity, seen.drift_kind, seen.field_name, seen.catalog_type, seen.tenant_type
