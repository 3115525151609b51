{{ config(materialized='table') }}

with states as (
    select * from {{ ref('int_mbom__states') }}
),

-- A version that was released or archived when first read had been released before: ION gives its creation time but not
-- its release time.
versions as (
    select
        mbom_id,
        {{ any_of('part_id') }} as part_id,
        {{ any_of('mbom_version') }} as mbom_version,
        coalesce(
            min(case when state_number = 1 and status in ('RELEASED', 'ARCHIVED') then created_at end),
            min(case when status = 'RELEASED' then valid_from end)
        ) as begins_at,
        coalesce(
            min(case when state_number > 1 and status = 'ARCHIVED' then valid_from end),
            min(case when state_number = 1 and status = 'ARCHIVED' then updated_at end),
            max(valid_to)
        ) as withdrawn_at,
        bool_or(is_current and status = 'RELEASED') as is_released
    from states
    group by mbom_id
),

-- The released version is in force (the highest if several are released); earlier versions followed one another.
followed as (
    select
        *,
        lead(begins_at) over parts as followed_at,
        lead(mbom_id) over parts is null and is_released as is_in_force
    from versions
    where begins_at is not null
    window parts as (partition by part_id order by is_released, mbom_version, mbom_id)
),

periods as (
    select
        mbom_id,
        begins_at,
        is_in_force,
        case when not is_in_force then coalesce(followed_at, withdrawn_at) end as ends_at
    from followed
),

-- The content of a version before it was first read is unknown: its first state extends back to its beginning.
timed as (
    select
        states.*,
        coalesce(periods.is_in_force and states.is_current, false) as is_in_force,
        case
            when states.state_number = 1 or periods.begins_at >= states.valid_from then periods.begins_at
            when periods.begins_at < states.valid_from then states.valid_from
        end as stood_from,
        least(coalesce(periods.ends_at, states.valid_to), coalesce(states.valid_to, periods.ends_at)) as stood_until
    from states
    left join periods on states.mbom_id = periods.mbom_id
)

select
    *,
    case when stood_from < stood_until or stood_until is null then stood_from end as in_force_from,
    case when stood_from < stood_until then stood_until end as in_force_to
from timed
