{{ config(materialized='table') }}

with units as (
    select * from {{ ref('int_abom_history__units') }}
),

assemblies as (
    select distinct parent_part_inventory_id as part_inventory_id from {{ ref('int_abom_history__lines') }}
),

spans as (
    select units.*
    from units
    inner join assemblies on units.part_inventory_id = assemblies.part_inventory_id
),

present as (
    {{ united_spans('spans', ['part_inventory_id']) }}
),

starts as (
    select
        part_inventory_id,
        valid_from
    from present
    union
    select
        changed.part_inventory_id,
        changed.changed_at as valid_from
    from {{ ref('int_abom_history__changed_units') }} as changed
    inner join present
        on
            changed.part_inventory_id = present.part_inventory_id
            and changed.changed_at >= present.valid_from
            and changed.changed_at < present.valid_until
),

states as (
    select
        starts.part_inventory_id,
        starts.valid_from,
        least(
            present.valid_until,
            coalesce(
                lead(starts.valid_from) over (partition by starts.part_inventory_id order by starts.valid_from),
                {{ end_of_time() }}
            )
        ) as valid_until
    from starts
    inner join present
        on
            starts.part_inventory_id = present.part_inventory_id
            and starts.valid_from >= present.valid_from
            and starts.valid_from < present.valid_until
)

select
    row_number() over (order by states.part_inventory_id, states.valid_from) as structure_state_id,
    states.part_inventory_id,
    spans.part_id,
    states.valid_from,
    states.valid_until
from states
inner join spans
    on
        states.part_inventory_id = spans.part_inventory_id
        and states.valid_from >= spans.valid_from
        and states.valid_from < spans.valid_until
order by structure_state_id
