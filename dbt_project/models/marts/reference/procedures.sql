with procedures as (
    select * from {{ ref('stg_ion__procedures') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

attribute_maps as (
    {{ attribute_maps('procedure') }}
),

steps as (
    select
        procedure_id,
        count(*) as step_count
    from {{ ref('procedure_steps') }}
    where procedure_id is not null
    group by procedure_id
)

select
    procedures.procedure_id,
    procedures.procedure_title,
    procedures.procedure_version,
    procedures.procedure_family_id,
    procedures.procedure_type,
    procedures.status,
    procedures.procedure_description,
    procedures.commit_message,
    procedures.is_latest_version,
    procedures.is_latest_released_version,
    procedures.is_export_controlled,
    coalesce(procedures.labels, {{ empty_list() }}) as labels,
    {{ list_text('procedures.labels') }} as labels_text,
    coalesce(steps.step_count, 0) as step_count,
    attribute_maps.attributes,
    procedures.created_at,
    procedures.created_by_id,
    users.user_name as created_by,
    procedures.updated_at
from procedures
left join steps on procedures.procedure_id = steps.procedure_id
left join users on procedures.created_by_id = users.user_id
left join attribute_maps on procedures.procedure_id = attribute_maps.owner_id
order by procedures.procedure_id
