with source as (
    select * from {{ source('ion_load_log', '_ion_loads') }}
)

select
    load_id,
    tenant,
    strategy,
    started_at as read_at,
    valid_from,
    committed_at,
    loaded_at,
    published_at,
    requests as request_count,
    bytes as byte_count,
    read_by as read_by_id,
    code_version,
    schema_hash
from source
