with states as (
    select * from {{ ref('int_abom_history__structure_states') }}
),

hashed as (
    select * from {{ ref('int_abom_history__structure_hashes') }}
)

select
    states.part_inventory_id,
    states.valid_from,
    nullif(states.valid_until, {{ end_of_time() }}) as valid_to,
    states.valid_until = {{ end_of_time() }} as is_current,
    hashed.structure_hash,
    {{ is_export_controlled('part_inventories', 'states.part_inventory_id') }} as is_export_controlled
from states
left join hashed on states.structure_state_id = hashed.structure_state_id
order by states.part_inventory_id, states.valid_from
