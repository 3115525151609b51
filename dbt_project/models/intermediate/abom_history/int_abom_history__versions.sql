{{ config(materialized='table') }}

with units as (
    select units.*
    from {{ ref('int_abom_history__units') }} as units
    where
        units.part_inventory_id in (
            select states.part_inventory_id from {{ ref('int_abom_history__structure_states') }} as states
        )
),

changes as (
    select * from {{ ref('int_abom_history__line_changes') }}
    where change <> 'unchanged'
),

present as (
    {{ united_spans('units', ['part_inventory_id']) }}
),

starts as (
    select
        part_inventory_id,
        valid_from
    from present
    union
    select
        part_inventory_id,
        changed_at as valid_from
    from changes
)

select
    starts.part_inventory_id,
    row_number() over (partition by starts.part_inventory_id order by starts.valid_from) as version_number,
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
