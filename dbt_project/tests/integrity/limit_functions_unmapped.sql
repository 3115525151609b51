-- Validation functions in use that the seed limit_functions does not list. Severity warn: their limits appear as
-- unmapped and no result is lost, but capability is not computed from them until the seed gives their side.
{{ config(severity='warn') }}

select
    functions.validation_function_id,
    functions.function_name,
    count(*) as limit_count
from {{ ref('stg_ion__run_step_field_validations') }} as validations
left join {{ ref('int_quality__limit_functions') }} as functions
    on validations.validation_function_id = functions.validation_function_id
where coalesce(functions.limit_kind, 'unmapped') = 'unmapped'
group by functions.validation_function_id, functions.function_name
