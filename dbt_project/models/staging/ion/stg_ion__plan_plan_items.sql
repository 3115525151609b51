with source as (
    select * from {{ source('ion', 'plan_plan_items') }}
),

renamed as (
    select
        plan_id,
        plan_item_id
    from source
)

select * from renamed
