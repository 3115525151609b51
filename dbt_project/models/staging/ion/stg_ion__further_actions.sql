with source as (
    select * from {{ source('ion_further_actions', '_ion_further_actions') }}
),

renamed as (
    select
        further_action_id,
        title as further_action_title,
        status,
        problem_statement,
        analysis_notes,
        resolution,
        assigned_to_id,
        is_export_controlled,
        created_at,
        created_by_id,
        updated_at
    from source
    where further_action_id is not null
)

select * from renamed
