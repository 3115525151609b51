with source as (
    select * from {{ source('ion', 'plan_items') }}
),

renamed as (
    select
        id as plan_item_id,
        name as plan_item_name,
        part_id,
        quantity,
        status,
        ready as is_ready,
        explode as is_exploded,
        is_latest,
        has_results,
        percent_complete,
        start_time as started_at,
        end_time as ended_at,
        forecasted_start_time as forecasted_start_at,
        forecasted_end_time as forecasted_end_at,
        procedure_id,
        supplier_id,
        mrp_job_id,
        assigned_to_id,
        {{ is_export_controlled('plan_items', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
