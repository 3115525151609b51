with source as (
    select * from {{ source('ion', 'run_step_fields') }}
),

renamed as (
    select
        id as run_step_field_id,
        run_step_id,
        origin_field_id as step_field_id,
        name as run_step_field_name,
        type as run_step_field_type,
        unit,
        position,
        value as value_json,
        valid as is_valid,
        required as is_required,
        not_applicable as is_not_applicable,
        part_inventory_id,
        entity_id,
        file_attachment_id,
        signoff_role_id,
        {{ is_export_controlled('run_step_fields', 'id') }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
