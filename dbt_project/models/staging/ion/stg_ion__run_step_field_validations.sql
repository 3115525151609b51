with source as (
    select * from {{ source('ion', 'run_step_field_validations') }}
),

renamed as (
    select
        id as run_step_field_validation_id,
        run_step_field_id,
        validation_id as step_field_validation_id,
        function_id as validation_function_id,
        value as limit_value,
        position,
        result,
        {{ audit_columns() }}
    from source
)

select * from renamed
