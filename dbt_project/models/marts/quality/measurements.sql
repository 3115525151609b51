with results as (
    select
        *,
        {{ json_text('value_json') }} as value_text
    from {{ ref('stg_ion__run_step_fields') }}
    where run_step_field_type in ('NUMBER', 'BOOLEAN')
),

limits as (
    select
        *,
        {{ join_texts(', ', [
            "case when lower_limit is not null then case when is_lower_inclusive then '>= ' else '> ' end || lower_limit end",
            "case when upper_limit is not null then case when is_upper_inclusive then '<= ' else '< ' end || upper_limit end",
            "'= ' || equality_value", "'target ' || target_value", 'other_limits'
        ]) }} as limits_text
    from {{ ref('int_quality__limits') }}
),

-- Person, procedure step and unit of each run step, with labels: one row per run step.
run_steps as (
    select
        run_steps.run_step_id,
        run_steps.run_step_title,
        run_steps.status as run_step_status,
        run_steps.status = 'CANCELED' or runs.status = 'CANCELED' as is_cancelled,
        run_steps.ended_at,
        run_steps.completed_by_id,
        run_steps.origin_step_id as step_id,
        runs.run_id,
        runs.procedure_id,
        procedures.procedure_title,
        procedures.procedure_version,
        runs.part_inventory_id,
        part_inventories.serial_number,
        part_inventories.lot_number,
        coalesce(runs.part_id, part_inventories.part_id) as part_id,
        parts.part_number,
        parts.part_revision
    from {{ ref('stg_ion__run_steps') }} as run_steps
    left join {{ ref('stg_ion__runs') }} as runs on run_steps.run_id = runs.run_id
    left join {{ ref('stg_ion__procedures') }} as procedures on runs.procedure_id = procedures.procedure_id
    left join {{ ref('stg_ion__part_inventories') }} as part_inventories
        on runs.part_inventory_id = part_inventories.part_inventory_id
    left join {{ ref('stg_ion__parts') }} as parts
        on coalesce(runs.part_id, part_inventories.part_id) = parts.part_id
),

-- ION has no measurement time. A field that was changed after its step ended was measured before the end.
timed as (
    select
        results.*,
        run_steps.run_step_title,
        run_steps.run_step_status,
        run_steps.is_cancelled,
        run_steps.ended_at,
        run_steps.completed_by_id,
        run_steps.step_id,
        run_steps.run_id,
        run_steps.procedure_id,
        run_steps.procedure_title,
        run_steps.procedure_version,
        run_steps.part_inventory_id,
        run_steps.serial_number,
        run_steps.lot_number,
        run_steps.part_id,
        run_steps.part_number,
        run_steps.part_revision,
        coalesce(results.updated_at > run_steps.ended_at, false) as is_changed_later
    from results
    left join run_steps on results.run_step_id = run_steps.run_step_id
    where results.value_text is not null or results.is_not_applicable
),

measured as (
    select
        *,
        case when is_changed_later then ended_at else coalesce(updated_at, created_at) end as measured_at,
        case when is_changed_later then completed_by_id else coalesce(updated_by_id, created_by_id) end
            as measured_by_id,
        case
            when run_step_field_type = 'NUMBER' and is_not_applicable is not true
                then {{ number_of_text('value_text') }}
        end as value_number,
        case
            when run_step_field_type = 'BOOLEAN' and is_not_applicable is not true then try_cast(value_text as boolean)
        end as value_boolean
    from timed
)

select
    measured.run_step_field_id,
    measured.measured_at,
    measured.measured_by_id,
    users.user_name as measured_by,
    measured.run_step_field_type as field_type,
    measured.run_step_field_name as field_name,
    measured.step_field_id,
    measured.value_number,
    measured.value_boolean,
    measured.value_text,
    measured.unit,
    coalesce(measured.is_not_applicable, false) as is_not_applicable,
    coalesce(measured.is_cancelled, false) as is_cancelled,
    measured.run_step_field_type = 'NUMBER' and measured.value_number is null and measured.is_not_applicable is not true
        as is_unreadable,
    limits.lower_limit,
    limits.is_lower_inclusive,
    limits.upper_limit,
    limits.is_upper_inclusive,
    limits.equality_value,
    limits.target_value,
    limits.other_limits,
    coalesce(nullif(limits.limits_text, ''), 'none') || coalesce(' ' || measured.unit, '') as limit_version,
    case when not coalesce(measured.is_not_applicable, false) then limits.validation_result end as validation_result,
    case
        when measured.is_not_applicable then null
        when limits.validation_result = 'PASS' then true
        when limits.validation_result = 'FAIL' then false
    end as is_passed,
    case
        when coalesce(limits.lower_limit, limits.upper_limit, limits.equality_value) is null then null
        when measured.value_number < limits.lower_limit or measured.value_number > limits.upper_limit then false
        when measured.value_number = limits.lower_limit and not limits.is_lower_inclusive then false
        when measured.value_number = limits.upper_limit and not limits.is_upper_inclusive then false
        when measured.value_number <> limits.equality_value then false
        when measured.value_number is not null then true
    end as is_within_limits,
    measured.run_step_id,
    measured.run_step_title,
    measured.run_step_status,
    measured.step_id,
    measured.run_id,
    measured.procedure_id,
    measured.procedure_title,
    measured.procedure_version,
    measured.part_inventory_id,
    measured.serial_number,
    measured.lot_number,
    measured.part_id,
    measured.part_number,
    measured.part_revision,
    coalesce(measured.is_export_controlled, false) as is_export_controlled
from measured
left join limits on measured.run_step_field_id = limits.run_step_field_id
left join {{ ref('stg_ion__users') }} as users on measured.measured_by_id = users.user_id
order by measured.step_field_id, measured.part_id, measured.measured_at, measured.run_step_field_id
