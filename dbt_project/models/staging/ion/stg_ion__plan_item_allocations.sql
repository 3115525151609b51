with source as (
    select * from {{ source('ion', 'plan_item_allocations') }}
),

renamed as (
    select
        try_cast(child_plan_item_id as bigint) as child_plan_item_id,
        try_cast(parent_plan_item_id as bigint) as parent_plan_item_id,
        mrp_job_id,
        quantity,
        {{ is_export_controlled('plan_items', 'try_cast(child_plan_item_id as bigint)') }}
        or {{ is_export_controlled('plan_items', 'try_cast(parent_plan_item_id as bigint)') }}
            as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
