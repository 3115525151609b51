with states as (
    select * from {{ ref('int_mbom__in_force') }}
),

structures as (
    select * from {{ ref('int_mbom__structures') }}
),

previous as (
    select
        mbom_id,
        lag(mbom_id) over (partition by part_id order by mbom_version, mbom_id) as previous_mbom_id
    from states
    where state_number = 1
),

parts as (
    select * from {{ ref('parts') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
)

select
    states.mbom_id,
    states.state_number,
    states.part_id,
    parts.part_number,
    parts.part_revision,
    parts.part_description,
    parts.revision_family_id,
    states.mbom_version,
    states.status,
    previous.previous_mbom_id,
    states.valid_from,
    states.valid_to,
    states.is_current,
    states.is_in_force,
    states.in_force_from,
    states.in_force_to,
    states.stood_until,
    states.line_count,
    structures.assembly_count,
    states.lines_hash,
    structures.structure_hash,
    states.created_at,
    states.created_by_id,
    users.user_name as created_by,
    states.updated_at,
    {{ is_export_controlled('mboms', 'states.mbom_id') }} as is_export_controlled
from states
inner join structures on states.mbom_id = structures.mbom_id and states.state_number = structures.state_number
inner join previous on states.mbom_id = previous.mbom_id
left join parts on states.part_id = parts.part_id
left join users on states.created_by_id = users.user_id
order by states.part_id, states.mbom_version, states.mbom_id, states.state_number
