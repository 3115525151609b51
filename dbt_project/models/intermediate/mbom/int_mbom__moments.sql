{{ config(materialized='table') }}

-- Every instant at which a version of one of its rows begins or ends: between two such instants the mBOM version did
-- not change.
with mboms as (
    select * from {{ ref('stg_ion_history__mboms') }}
),

owners as (
    select distinct
        mbom_item_id,
        mbom_id
    from {{ ref('stg_ion_history__mbom_items') }}
),

seen as (
    select
        mbom_id,
        valid_from,
        valid_to
    from mboms
    union all
    select
        mbom_id,
        valid_from,
        valid_to
    from {{ ref('stg_ion_history__mbom_items') }}
    {% for inside in ['mbom_item_reference_designators', 'mbom_substitutes'] %}
        union all
        select
            owners.mbom_id,
            rows_inside.valid_from,
            rows_inside.valid_to
        from {{ ref('stg_ion_history__' ~ inside) }} as rows_inside
        inner join owners on rows_inside.mbom_item_id = owners.mbom_item_id
    {% endfor %}
),

moments as (
    select
        mbom_id,
        valid_from as seen_at
    from seen
    union
    select
        mbom_id,
        valid_to as seen_at
    from seen
    where valid_to is not null
)

select
    mboms.mbom_id,
    moments.seen_at,
    mboms.part_id,
    mboms.mbom_version,
    mboms.status,
    mboms.created_at,
    mboms.created_by_id,
    mboms.updated_at
from moments
inner join mboms
    on
        moments.mbom_id = mboms.mbom_id
        and moments.seen_at >= mboms.valid_from
        and (mboms.valid_to is null or moments.seen_at < mboms.valid_to)
