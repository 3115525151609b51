with results as (
    select
        *,
        case
            when field_type = 'NUMBER' and not is_not_applicable then {{ number_of_text('value_text') }}
        end as value_number
    from {{ ref('int_production__results') }}
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

-- Procedure step and unit of each run step, with labels: one row per run step.
run_steps as (
    select
        run_steps.run_step_id,
        run_steps.run_step_title,
        run_steps.status as run_step_status,
        run_steps.status = 'CANCELED' or runs.status = 'CANCELED' as is_cancelled,
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
)

select
    results.result_key,
    results.run_step_field_id,
    results.datagrid_row_id,
    results.datagrid_column_id,
    results.recorded_at,
    results.recorded_by_id,
    users.user_name as recorded_by,
    results.field_type,
    results.field_name,
    results.step_field_id,
    results.value_text,
    results.value_number,
    case
        when results.field_type = 'BOOLEAN' and not results.is_not_applicable
            then try_cast(results.value_text as boolean)
    end as value_boolean,
    case
        when results.field_type in ('DATETIME', 'SIGNOFF') and left(results.value_text, 1) between '0' and '9'
            then {{ instant_of_text('results.value_text') }}
    end as value_at,
    case when results.field_type = 'MULTISELECT' then {{ json_list('results.value_json') }} end as value_list,
    results.entered_part_inventory_id,
    entered.serial_number as entered_serial_number,
    results.entered_entity_id,
    results.file_attachment_id,
    files.filename,
    results.signoff_role_id,
    results.unit,
    results.is_required,
    results.is_not_applicable,
    coalesce(run_steps.is_cancelled, false) as is_cancelled,
    coalesce(results.field_type = 'NUMBER', false) and results.value_number is null and not results.is_not_applicable
        as is_unreadable,
    limits.lower_limit,
    limits.is_lower_inclusive,
    limits.upper_limit,
    limits.is_upper_inclusive,
    limits.equality_value,
    limits.target_value,
    limits.other_limits,
    coalesce(nullif(limits.limits_text, ''), 'none') || coalesce(' ' || results.unit, '') as limit_version,
    case when not results.is_not_applicable then results.is_valid end as is_valid,
    case when not results.is_not_applicable then limits.validation_result end as validation_result,
    case
        when results.is_not_applicable then null
        when limits.validation_result = 'PASS' then true
        when limits.validation_result = 'FAIL' then false
    end as is_passed,
    case
        when coalesce(limits.lower_limit, limits.upper_limit, limits.equality_value) is null then null
        when results.value_number < limits.lower_limit or results.value_number > limits.upper_limit then false
        when results.value_number = limits.lower_limit and not limits.is_lower_inclusive then false
        when results.value_number = limits.upper_limit and not limits.is_upper_inclusive then false
        when results.value_number <> limits.equality_value then false
        when results.value_number is not null then true
    end as is_within_limits,
    results.run_step_id,
    run_steps.run_step_title,
    run_steps.run_step_status,
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
    results.is_export_controlled
from results
left join run_steps on results.run_step_id = run_steps.run_step_id
left join limits on results.run_step_field_id = limits.run_step_field_id
left join {{ ref('stg_ion__users') }} as users on results.recorded_by_id = users.user_id
left join {{ ref('stg_ion__part_inventories') }} as entered
    on results.entered_part_inventory_id = entered.part_inventory_id
left join {{ ref('stg_ion__run_step_file_attachments') }} as files
    on results.run_step_id = files.run_step_id and results.file_attachment_id = files.file_attachment_id
order by results.run_step_id, results.result_key
