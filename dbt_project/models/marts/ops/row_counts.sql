with load_tables as (
    select * from {{ ref('stg_ion__load_tables') }}
    where table_name = entity
),

-- ION's most recent count of each entity.
totals as (
    select
        entity,
        {{ first_of('total_count', 'load_id desc') }} as ion_count,
        max(load_id) as counted_load_id
    from load_tables
    where total_count is not null
    group by entity
),

staging_counts as (
    {% for entity in staged_entities() %}
        select
            '{{ entity }}' as entity,
            count(*) as staging_count
        from {{ ref('stg_ion__' ~ entity) }}
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

raw_counts as (
    {% for entity in ion_entities() %}
        select
            '{{ entity }}' as entity,
            count(*) as raw_count
        from {{ source('ion', entity) }}
        {{ 'union all' if not loop.last }}
    {% else %}
        select
            null as entity,
            0 as raw_count
    {% endfor %}
)

select
    raw_counts.entity,
    totals.ion_count,
    totals.counted_load_id,
    raw_counts.raw_count,
    staging_counts.staging_count,
    raw_counts.raw_count - totals.ion_count as raw_minus_ion
from raw_counts
left join totals on raw_counts.entity = totals.entity
left join staging_counts on raw_counts.entity = staging_counts.entity
order by raw_counts.entity
