with source as (
    select * from {{ source('ion', 'plan_item_inputs') }}
),

renamed as (
    select
        plan_item_id,
        plan_input_id
    from source
)

select * from renamed
