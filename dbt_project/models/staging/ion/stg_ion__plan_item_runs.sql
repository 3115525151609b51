with source as (
    select * from {{ source('ion', 'plan_item_runs') }}
),

renamed as (
    select
        plan_item_id,
        run_id
    from source
)

select * from renamed
