{{ config(materialized='table') }}

-- Each state is compared with the state before it; the first state is compared with the previous version as of that
-- time.
with states as (
    select * from {{ ref('int_mbom__in_force') }}
),

versions as (
    select
        mbom_id,
        lag(mbom_id) over (partition by part_id order by mbom_version, mbom_id) as previous_mbom_id
    from states
    where state_number = 1
),

first_states as (
    select
        states.mbom_id,
        versions.previous_mbom_id,
        max(
            case when before.state_number = 1 or before.valid_from <= states.valid_from then before.state_number end
        ) as previous_state_number
    from states
    inner join versions on states.mbom_id = versions.mbom_id
    inner join states as before on versions.previous_mbom_id = before.mbom_id
    where states.state_number = 1
    group by states.mbom_id, versions.previous_mbom_id
)

select
    states.mbom_id,
    states.state_number,
    first_states.previous_mbom_id,
    first_states.previous_state_number,
    false as is_in_place,
    -- Where ION gives no time for a version, the time of the load that first read it is used.
    coalesce(states.in_force_from, states.created_at, states.valid_from) as changed_at
from states
inner join first_states on states.mbom_id = first_states.mbom_id
where states.state_number = 1
union all
select
    mbom_id,
    state_number,
    mbom_id as previous_mbom_id,
    state_number - 1 as previous_state_number,
    true as is_in_place,
    valid_from as changed_at
from states
where state_number > 1
