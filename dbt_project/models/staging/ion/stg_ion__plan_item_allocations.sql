with source as (
    select * from {{ source('ion', 'plan_item_allocations') }}
),

renamed as (
    select
        cast(parent_plan_item_id as bigint) as parent_plan_item_id,
        cast(child_plan_item_id as bigint) as child_plan_item_id,
        mrp_job_id,
        quantity,
        {{ audit_columns() }}
    from source
)

select * from renamed
