{% set shared = [
    'value_json', 'unit', 'is_required', 'is_not_applicable', 'part_inventory_id', 'entity_id', 'file_attachment_id',
    'signoff_role_id', 'is_export_controlled', 'created_at', 'created_by_id', 'updated_at', 'updated_by_id'
] %}

with cells as (
    select
        cells.*,
        coalesce(grid_rows.run_step_id, grid_columns.run_step_id) as run_step_id,
        coalesce(cells.datagrid_value_type, grid_columns.datagrid_column_type) as field_type,
        grid_columns.header,
        grid_columns.unit,
        grid_columns.signoff_role_id,
        grid_rows.is_required
    from {{ ref('stg_ion__datagrid_values') }} as cells
    left join {{ ref('stg_ion__datagrid_rows') }} as grid_rows on cells.row_id = grid_rows.datagrid_row_id
    left join {{ ref('stg_ion__datagrid_columns') }} as grid_columns
        on cells.column_id = grid_columns.datagrid_column_id
),

results as (
    select
        'field-' || cast(run_step_field_id as string) as result_key,
        run_step_field_id,
        cast(null as bigint) as datagrid_row_id,
        cast(null as bigint) as datagrid_column_id,
        run_step_id,
        step_field_id,
        run_step_field_name as field_name,
        run_step_field_type as field_type,
        is_valid,
        {{ shared | join(', ') }}
    from {{ ref('stg_ion__run_step_fields') }}
    union all
    select
        'cell-' || cast(row_id as string) || '-' || cast(column_id as string) as result_key,
        null as run_step_field_id,
        row_id as datagrid_row_id,
        column_id as datagrid_column_id,
        run_step_id,
        null as step_field_id,
        header as field_name,
        field_type,
        null as is_valid,
        {{ shared | join(', ') }}
    from cells
    -- The data grid of a procedure step is a template, not a result.
    where run_step_id is not null
),

texts as (
    select
        *,
        {{ json_text('value_json') }} as value_text
    from results
),

recorded as (
    select *
    from texts
    where
        is_not_applicable
        or value_text is not null
        or (field_type = 'TOOL' and part_inventory_id is not null)
        or (field_type = 'FILE_ATTACHMENT' and file_attachment_id is not null)
        or (field_type = 'ION' and entity_id is not null)
),

-- ION has no time of a result. A field that was changed after its step ended was recorded before the end.
timed as (
    select
        recorded.*,
        run_steps.ended_at,
        run_steps.completed_by_id,
        coalesce(recorded.updated_at > run_steps.ended_at, false) as is_changed_later
    from recorded
    left join {{ ref('stg_ion__run_steps') }} as run_steps on recorded.run_step_id = run_steps.run_step_id
)

select
    result_key,
    run_step_field_id,
    datagrid_row_id,
    datagrid_column_id,
    run_step_id,
    step_field_id,
    field_name,
    field_type,
    value_json,
    value_text,
    unit,
    coalesce(is_required, false) as is_required,
    coalesce(is_not_applicable, false) as is_not_applicable,
    is_valid,
    part_inventory_id as entered_part_inventory_id,
    entity_id as entered_entity_id,
    file_attachment_id,
    signoff_role_id,
    case when is_changed_later then ended_at else coalesce(updated_at, created_at) end as recorded_at,
    case when is_changed_later then completed_by_id else coalesce(updated_by_id, created_by_id) end as recorded_by_id,
    coalesce(is_export_controlled, false) as is_export_controlled
from timed
