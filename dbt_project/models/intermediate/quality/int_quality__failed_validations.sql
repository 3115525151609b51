with fields as (
    select
        run_step_field_id,
        run_step_id
    from {{ ref('stg_ion__run_step_fields') }}
    where not coalesce(is_not_applicable, false)
),

validations as (
    select
        run_step_field_validation_id,
        run_step_field_id,
        updated_at
    from {{ ref('stg_ion__run_step_field_validations') }}
    where result = 'FAIL'
)

select
    validations.run_step_field_validation_id,
    fields.run_step_field_id,
    fields.run_step_id,
    validations.updated_at
from validations
inner join fields on validations.run_step_field_id = fields.run_step_field_id
