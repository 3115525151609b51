-- Fields whose lower limit lies above their upper one: no result can be within them, and no capability is computed. A
-- warning that names them: somebody entered them so.
{{ config(severity='warn') }}

select
    step_field_id,
    field_name,
    procedure_title,
    procedure_version,
    lower_limit,
    upper_limit,
    measurement_count
from {{ ref('process_capability') }}
where has_swapped_limits
