with source as (
    select * from {{ source('ion', 'datagrid_columns') }}
),

renamed as (
    select
        id as datagrid_column_id,
        header,
        type as datagrid_column_type,
        unit,
        index,
        run_step_id,
        step_id,
        signoff_role_id,
        {{ audit_columns() }}
    from source
)

select * from renamed
