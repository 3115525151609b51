with source as (
    select * from {{ source('ion_books', '_ion_load_tables') }}
)

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
