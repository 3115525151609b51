-- Fields whose lower limit is above the upper limit: no result can be within both, and no capability is computed.
-- Severity warn: lists them, because they were entered that way in ION.
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
