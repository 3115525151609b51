with source as (
    select * from {{ source('ion_load_log', '_ion_load_tables') }}
),

renamed as (
    select
        load_id,
        table_name,
        entity,
        strategy,
        rows_read,
        total_count,
        rows_inserted,
        rows_updated,
        rows_deleted,
        rows_after
    from source
)

select * from renamed
