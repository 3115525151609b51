with limits as (
    select
        validations.run_step_field_id,
        validations.result as validation_result,
        validations.limit_value,
        coalesce(functions.limit_kind, 'unmapped') as limit_kind,
        functions.is_inclusive,
        functions.function_name
    from {{ ref('stg_ion__run_step_field_validations') }} as validations
    left join {{ ref('int_quality__limit_functions') }} as functions
        on validations.validation_function_id = functions.validation_function_id
),

-- Few fields have such limits, so their texts are built only for those.
other_limits as (
    select
        run_step_field_id,
        {{ text_of(join_texts(' ', [
            "case when limit_kind = 'unmapped' then 'unmapped:' end", 'function_name', 'cast(limit_value as string)'
        ]), ', ', 'limit_kind, function_name, limit_value') }} as other_limits
    from limits
    where limit_kind in ('inequality', 'unmapped')
    group by run_step_field_id
),

-- If several limits apply on one side, the strictest counts.
combined as (
    select
        run_step_field_id,
        max(case when limit_kind = 'lower' and is_inclusive then limit_value end) as lower_inclusive,
        max(case when limit_kind = 'lower' and not is_inclusive then limit_value end) as lower_exclusive,
        min(case when limit_kind = 'upper' and is_inclusive then limit_value end) as upper_inclusive,
        min(case when limit_kind = 'upper' and not is_inclusive then limit_value end) as upper_exclusive,
        max(case when limit_kind = 'equality' then limit_value end) as equality_value,
        max(case when limit_kind = 'target' then limit_value end) as target_value,
        max(case when validation_result = 'FAIL' then 1 else 0 end) = 1 as has_failed,
        max(case when validation_result not in ('FAIL', 'PASS') then validation_result end) as undecided_result,
        count(validation_result) as result_count
    from limits
    group by run_step_field_id
),

judged as (
    select
        {% for side, stricter in [('lower', '>='), ('upper', '<=')] %}
            {{ side }}_exclusive is not null
            and ({{ side }}_inclusive is null or {{ side }}_exclusive {{ stricter }} {{ side }}_inclusive)
                as is_{{ side }}_open,
        {% endfor %}
        *
    from combined
)

select
    judged.run_step_field_id,
    {% for side in ['lower', 'upper'] %}
        case when judged.is_{{ side }}_open then judged.{{ side }}_exclusive else judged.{{ side }}_inclusive end
            as {{ side }}_limit,
        case
            when judged.is_{{ side }}_open then false
            when judged.{{ side }}_inclusive is not null then true
        end as is_{{ side }}_inclusive,
    {% endfor %}
    judged.equality_value,
    judged.target_value,
    other_limits.other_limits,
    case
        when judged.has_failed then 'FAIL'
        when judged.undecided_result is not null then judged.undecided_result
        when judged.result_count > 0 then 'PASS'
    end as validation_result
from judged
left join other_limits on judged.run_step_field_id = other_limits.run_step_field_id
