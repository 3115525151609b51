-- No staging view loses or duplicates a row, and every entity is counted.
with staged as (
    select * from {{ ref('row_counts') }}
    where staging_count is not null
)

select
    entity,
    raw_count,
    staging_count
from staged
where staging_count <> raw_count
union all
select
    'none' as entity,
    0 as raw_count,
    0 as staging_count
where (select count(*) from staged) = 0
