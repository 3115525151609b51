with source as (
    select * from {{ source('ion', 'step_field_validations') }}
),

renamed as (
    select
        id as step_field_validation_id,
        field_id as step_field_id,
        function_id as validation_function_id,
        value as limit_value,
        position,
        {{ audit_columns() }}
    from source
)

select * from renamed
