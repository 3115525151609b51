with source as (
    select * from {{ source('ion', 'plan_item_plans') }}
),

renamed as (
    select
        plan_id,
        plan_item_id
    from source
)

select * from renamed
