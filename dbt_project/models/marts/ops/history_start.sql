with load_tables as (
    select * from {{ ref('stg_ion__load_tables') }}
),

loads as (
    select * from {{ ref('stg_ion__loads') }}
)

select
    load_tables.entity,
    min(loads.valid_from) as history_start_at,
    min_by(loads.load_id, loads.valid_from) as first_load_id
from load_tables
inner join loads on load_tables.load_id = loads.load_id
group by load_tables.entity
order by load_tables.entity
