with source as (
    select * from {{ source('ion_further_actions', '_ion_further_action_issues') }}
),

renamed as (
    select
        further_action_id,
        issue_id,
        is_export_controlled
    from source
    where further_action_id is not null and issue_id is not null
)

select * from renamed
