with source as (
    select * from {{ source('ion', 'plan_inputs') }}
),

renamed as (
    select
        id as plan_input_id,
        plan_id,
        part_id,
        quantity,
        completed_quantity,
        due_date as due_at,
        {{ is_export_controlled('plan_inputs', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
