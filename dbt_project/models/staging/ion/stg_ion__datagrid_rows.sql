with source as (
    select * from {{ source('ion', 'datagrid_rows') }}
),

renamed as (
    select
        id as datagrid_row_id,
        index,
        required as is_required,
        run_step_id,
        step_id,
        {{ audit_columns() }}
    from source
)

select * from renamed
