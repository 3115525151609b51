with source as (
    select * from {{ source('ion', 'datagrid_values') }}
),

renamed as (
    select
        row_id,
        column_id,
        type as datagrid_value_type,
        value as value_json,
        not_applicable as is_not_applicable,
        part_inventory_id,
        entity_id,
        file_attachment_id,
        {{ is_export_controlled_row('datagrid_values', ['row_id', 'column_id']) }} as is_export_controlled,
        {{ audit_columns() }}
    from source
)

select * from renamed
