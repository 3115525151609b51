{{ config(meta={
    'rows_by': 'run_step_id',
    'affected_by': {
        'measurements': 'run_step_id',
        'stg_ion__run_step_fields': 'run_step_id',
        'stg_ion__run_step_field_validations': {'run_step_field_id': 'stg_ion__run_step_fields.run_step_field_id'},
        'stg_ion__run_steps': 'run_step_id',
        'stg_ion__runs': {'run_id': 'stg_ion__run_steps.run_id'},
    },
}) }}
-- Each numeric and boolean result of a run step appears once, with the limits at the time of recording. This test
-- compares every limit with the value separately; the mart combines the limits first.
with functions as (
    select
        functions.validation_function_id,
        kinds.limit_kind,
        kinds.is_inclusive,
        row_number() over (
            partition by functions.validation_function_id
            order by case
                when
                    {{ limit_function_key('kinds.function_name') }}
                    = {{ limit_function_key('functions.function_name') }}
                    then 1
                else 2
            end
        ) as choice
    from {{ ref('stg_ion__validation_functions') }} as functions
    inner join {{ ref('limit_functions') }} as kinds
        on
            {{ limit_function_key('kinds.function_name') }} in (
                {{ limit_function_key('functions.function_name') }},
                {{ limit_function_key('functions.display_name') }}
            )
),

fields as (
    select
        run_step_field_id,
        run_step_id,
        coalesce(is_not_applicable, false) as is_not_applicable,
        case
            when run_step_field_type = 'NUMBER' and not coalesce(is_not_applicable, false)
                then {{ number_of_text(json_text('value_json')) }}
        end as value_number,
        updated_at,
        created_at
    from {{ ref('stg_ion__run_step_fields') }}
    where run_step_field_type in ('NUMBER', 'BOOLEAN') and (is_not_applicable or value_json <> 'null')
),

judged as (
    select
        validations.run_step_field_id,
        max(case when functions.limit_kind = 'lower' then validations.limit_value end) as lower_limit,
        min(case when functions.limit_kind = 'upper' then validations.limit_value end) as upper_limit,
        -- A limit without a number has no effect.
        count(case when functions.limit_kind in ('lower', 'upper', 'equality') then validations.limit_value end)
            as limit_count,
        count(
            case
                when functions.limit_kind = 'lower' and fields.value_number < validations.limit_value then 1
                when functions.limit_kind = 'upper' and fields.value_number > validations.limit_value then 1
                when
                    functions.limit_kind in ('lower', 'upper')
                    and fields.value_number = validations.limit_value
                    and not functions.is_inclusive
                    then 1
                when functions.limit_kind = 'equality' and fields.value_number <> validations.limit_value then 1
            end
        ) as violated_count,
        count(case when functions.limit_kind is null then 1 end) as unmapped_count,
        count(case when validations.result = 'FAIL' then 1 end) as failed_count,
        count(case when validations.result <> 'PASS' then 1 end) as not_passed_count,
        count(validations.result) as result_count
    from {{ ref('stg_ion__run_step_field_validations') }} as validations
    inner join fields on validations.run_step_field_id = fields.run_step_field_id
    left join functions
        on validations.validation_function_id = functions.validation_function_id and functions.choice = 1
    group by validations.run_step_field_id
),

expected as (
    select
        fields.run_step_field_id,
        fields.value_number,
        fields.is_not_applicable,
        -- The earlier of the field's last change (or its creation, if never changed) and the end of its step.
        case
            when fields.updated_at is null then fields.created_at
            else least(fields.updated_at, run_steps.ended_at)
        end as measured_at,
        judged.lower_limit,
        judged.upper_limit,
        judged.unmapped_count > 0 as has_unmapped,
        case
            when fields.value_number is not null and judged.limit_count > 0 then judged.violated_count = 0
        end as is_within_limits,
        case
            when fields.is_not_applicable then null
            when judged.failed_count > 0 then false
            when judged.result_count > 0 and judged.not_passed_count = 0 then true
        end as is_passed,
        run_steps.status = 'CANCELED' or coalesce(runs.status = 'CANCELED', false) as is_cancelled,
        runs.part_inventory_id
    from fields
    left join judged on fields.run_step_field_id = judged.run_step_field_id
    left join {{ ref('stg_ion__run_steps') }} as run_steps on fields.run_step_id = run_steps.run_step_id
    left join {{ ref('stg_ion__runs') }} as runs on run_steps.run_id = runs.run_id
)

select coalesce(expected.run_step_field_id, found.run_step_field_id) as run_step_field_id
from expected
full outer join {{ ref('measurements') }} as found on expected.run_step_field_id = found.run_step_field_id
where
    expected.run_step_field_id is distinct from found.run_step_field_id
    or coalesce(expected.has_unmapped, false) is distinct from coalesce(found.other_limits like '%unmapped:%', false)
    or coalesce(expected.is_cancelled, false) is distinct from found.is_cancelled
    {% for column in [
        'value_number', 'is_not_applicable', 'measured_at', 'lower_limit', 'upper_limit', 'is_within_limits', 'is_passed',
        'part_inventory_id'
    ] %}
        or expected.{{ column }} is distinct from found.{{ column }}
    {% endfor %}
