with loads as (
    select * from {{ ref('stg_ion__loads') }}
),

tables as (
    select
        load_id,
        count(distinct entity) as entity_count,
        cast(sum(rows_read) as bigint) as rows_read,
        cast(sum(rows_inserted) as bigint) as rows_inserted,
        cast(sum(rows_updated) as bigint) as rows_updated,
        cast(sum(rows_deleted) as bigint) as rows_deleted
    from {{ ref('stg_ion__load_tables') }}
    group by load_id
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

delays as (
    select * from {{ ref('int_loads__delays') }}
),

distributions as (
    {{ delays_of('load_id') }}
)

select
    loads.load_id,
    loads.tenant,
    loads.read_by_id,
    users.user_name as read_by,
    loads.strategy,
    loads.read_at,
    loads.committed_at,
    loads.loaded_at,
    loads.published_at,
    {{ hours_between('loads.read_at', 'loads.committed_at') }} * 3600 as reading_seconds,
    loads.request_count,
    loads.byte_count,
    coalesce(tables.entity_count, 0) as entity_count,
    case when tables.load_id is null then 0 else tables.rows_read end as rows_read,
    case when tables.load_id is null then 0 else tables.rows_inserted end as rows_inserted,
    case when tables.load_id is null then 0 else tables.rows_updated end as rows_updated,
    case when tables.load_id is null then 0 else tables.rows_deleted end as rows_deleted,
    distributions.delayed_change_count,
    distributions.delay_median_seconds,
    distributions.delay_p99_seconds,
    distributions.delay_max_seconds,
    loads.code_version,
    loads.schema_hash,
    loads.load_id = max(loads.load_id) over () as is_latest
from loads
left join tables on loads.load_id = tables.load_id
left join distributions on loads.load_id = distributions.load_id
left join users on loads.read_by_id = users.user_id
order by loads.load_id
