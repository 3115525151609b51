with states as (
    select * from {{ ref('int_abom_history__structure_states') }}
),

hashes as (
    select * from {{ ref('int_abom_history__structure_hashes') }}
)

select
    states.part_inventory_id,
    states.valid_from,
    nullif(states.valid_until, {{ end_of_time() }}) as valid_to,
    states.valid_until = {{ end_of_time() }} as is_current,
    hashes.structure_hash
from states
left join hashes on states.structure_state_id = hashes.structure_state_id
order by states.part_inventory_id, states.valid_from
