{{ config(meta={
    'rows_by': 'run_step_id',
    'affected_by': {
        'step_results': 'run_step_id',
        'measurements': 'run_step_id',
        'stg_ion__run_step_fields': 'run_step_id',
        'stg_ion__datagrid_values': {
            'row_id': 'stg_ion__datagrid_rows.datagrid_row_id',
            'column_id': 'stg_ion__datagrid_columns.datagrid_column_id',
        },
        'stg_ion__datagrid_rows': {
            'run_step_id': 'stg_ion__datagrid_rows.run_step_id',
            'datagrid_row_id': [
                'step_results.datagrid_row_id',
                'stg_ion__datagrid_values.row_id > column_id > stg_ion__datagrid_columns.datagrid_column_id',
            ],
        },
        'stg_ion__datagrid_columns': {
            'run_step_id': 'stg_ion__datagrid_columns.run_step_id',
            'datagrid_column_id': [
                'step_results.datagrid_column_id',
                'stg_ion__datagrid_values.column_id > row_id > stg_ion__datagrid_rows.datagrid_row_id',
            ],
        },
        'stg_ion__run_steps': 'run_step_id',
        'stg_ion__runs': {'run_id': 'stg_ion__run_steps.run_id'},
    },
}) }}
-- Each value of a field or cell of a run step, and each mark "not applicable", is one result with its type, step and
-- unit; a number or boolean of a field is the same in measurements.
with fields as (
    select
        'field-' || cast(run_step_field_id as string) as result_key,
        run_step_id,
        run_step_field_type as field_type,
        value_json,
        is_not_applicable,
        coalesce(
            case run_step_field_type
                when 'TOOL' then part_inventory_id
                when 'FILE_ATTACHMENT' then file_attachment_id
                when 'ION' then entity_id
            end,
            -1
        ) as named_id,
        updated_at,
        created_at
    from {{ ref('stg_ion__run_step_fields') }}
),

cells as (
    select
        'cell-' || cast(cells.row_id as string) || '-' || cast(cells.column_id as string) as result_key,
        coalesce(grid_rows.run_step_id, grid_columns.run_step_id) as run_step_id,
        coalesce(cells.datagrid_value_type, grid_columns.datagrid_column_type) as field_type,
        cells.value_json,
        cells.is_not_applicable,
        coalesce(
            case coalesce(cells.datagrid_value_type, grid_columns.datagrid_column_type)
                when 'TOOL' then cells.part_inventory_id
                when 'FILE_ATTACHMENT' then cells.file_attachment_id
                when 'ION' then cells.entity_id
            end,
            -1
        ) as named_id,
        cells.updated_at,
        cells.created_at
    from {{ ref('stg_ion__datagrid_values') }} as cells
    left join {{ ref('stg_ion__datagrid_rows') }} as grid_rows on cells.row_id = grid_rows.datagrid_row_id
    left join {{ ref('stg_ion__datagrid_columns') }} as grid_columns
        on cells.column_id = grid_columns.datagrid_column_id
),

expected as (
    select
        results.result_key,
        results.run_step_id,
        results.field_type,
        runs.part_inventory_id,
        case
            when results.updated_at is null then results.created_at
            else least(results.updated_at, run_steps.ended_at)
        end as recorded_at
    from (
        select * from fields
        union all
        select * from cells
    ) as results
    left join {{ ref('stg_ion__run_steps') }} as run_steps on results.run_step_id = run_steps.run_step_id
    left join {{ ref('stg_ion__runs') }} as runs on run_steps.run_id = runs.run_id
    where
        results.run_step_id is not null
        and (coalesce(results.value_json, 'null') <> 'null' or results.is_not_applicable or results.named_id > -1)
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
