with source as (
    select * from {{ source('ion', 'plan_item_issues') }}
),

renamed as (
    select
        plan_item_id,
        issue_id
    from source
)

select * from renamed
