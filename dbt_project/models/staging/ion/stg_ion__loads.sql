with source as (
    select * from {{ source('ion_books', '_ion_loads') }}
)

select
    load_id,
    started_at as read_at,
    valid_from
from source
