-- Each value of a field or cell of a run step, and each mark "not applicable", is one result with its type, step and
-- unit; a number or boolean of a field is the same in measurements.
with fields as (
    select
        'field-' || cast(id as string) as result_key,
        run_step_id,
        type as field_type,
        value,
        not_applicable,
        coalesce(
            case type
                when 'TOOL' then part_inventory_id
                when 'FILE_ATTACHMENT' then file_attachment_id
                when 'ION' then entity_id
            end,
            -1
        ) as named_id,
        _updated as updated_at,
        _created as created_at
    from {{ source('ion', 'run_step_fields') }}
),

cells as (
    select
        'cell-' || cast(cells.row_id as string) || '-' || cast(cells.column_id as string) as result_key,
        coalesce(grid_rows.run_step_id, grid_columns.run_step_id) as run_step_id,
        coalesce(cells.type, grid_columns.type) as field_type,
        cells.value,
        cells.not_applicable,
        coalesce(
            case coalesce(cells.type, grid_columns.type)
                when 'TOOL' then cells.part_inventory_id
                when 'FILE_ATTACHMENT' then cells.file_attachment_id
                when 'ION' then cells.entity_id
            end,
            -1
        ) as named_id,
        cells._updated as updated_at,
        cells._created as created_at
    from {{ source('ion', 'datagrid_values') }} as cells
    left join {{ source('ion', 'datagrid_rows') }} as grid_rows on cells.row_id = grid_rows.id
    left join {{ source('ion', 'datagrid_columns') }} as grid_columns on cells.column_id = grid_columns.id
),

expected as (
    select
        results.result_key,
        results.run_step_id,
        results.field_type,
        runs.part_inventory_id,
        case
            when results.updated_at is null then results.created_at
            else least(results.updated_at, run_steps.end_time)
        end as recorded_at
    from (
        select * from fields
        union all
        select * from cells
    ) as results
    left join {{ source('ion', 'run_steps') }} as run_steps on results.run_step_id = run_steps.id
    left join {{ source('ion', 'runs') }} as runs on run_steps.run_id = runs.id
    where
        results.run_step_id is not null
        and (coalesce(results.value, 'null') <> 'null' or results.not_applicable or results.named_id > -1)
),

measured as (
    select
        'field-' || cast(run_step_field_id as string) as result_key,
        *
    from {{ ref('measurements') }}
)

select coalesce(expected.result_key, found.result_key, measured.result_key) as result_key
from expected
full outer join {{ ref('step_results') }} as found on expected.result_key = found.result_key
full outer join measured on found.result_key = measured.result_key
where
    (found.run_step_field_id is not null and coalesce(found.field_type in ('NUMBER', 'BOOLEAN'), false))
    is distinct from (measured.result_key is not null)
    {% for column in ['result_key', 'run_step_id', 'field_type', 'part_inventory_id', 'recorded_at'] %}
        or expected.{{ column }} is distinct from found.{{ column }}
    {% endfor %}
    or (
        measured.result_key is not null
        and (
            measured.measured_at is distinct from found.recorded_at
            {% for column in [
                'value_number', 'value_boolean', 'lower_limit', 'upper_limit', 'limit_version', 'validation_result',
                'is_within_limits', 'is_not_applicable', 'is_cancelled', 'is_unreadable', 'part_inventory_id'
            ] %}
                or measured.{{ column }} is distinct from found.{{ column }}
            {% endfor %}
        )
    )
