{%- set dated = dated_entities() -%}

with loads as (
    select * from {{ ref('stg_ion__loads') }}
),

last_loads as (
    select
        entity,
        max(load_id) as last_load_id
    from {{ ref('stg_ion__load_tables') }}
    group by entity
),

load_delays as (
    select * from {{ ref('int_loads__delays') }}
),

latest as (
    select max(read_at) as read_at from loads
),

-- Of the last week alone: what was late months ago says nothing about now.
delays as (
    select
        recent.entity,
        recent.delay_seconds,
        recent.change_count
    from load_delays as recent
    cross join latest
    where {{ hours_between('recent.read_at', 'latest.read_at') }} <= {{ 7 * 24 }}
),

distributions as (
    {{ delays_of('entity') }}
),

entities as (
    {% for entity in ion_entities() %}
        select
            '{{ entity }}' as entity,
            {{ 'max(_updated)' if entity in dated else 'cast(null as ' ~ type_instant() ~ ')' }} as watermark_at,
            count(*) as row_count
        from {{ source('ion', entity) }}
        {{ 'union all' if not loop.last }}
    {% else %}
        select
            null as entity,
            cast(null as {{ type_instant() }}) as watermark_at,
            0 as row_count
    {% endfor %}
)

select
    entities.entity,
    last_loads.last_load_id,
    loads.read_at as last_read_at,
    entities.watermark_at,
    entities.row_count,
    {{ hours_between('entities.watermark_at', 'latest.read_at') }} as lag_hours,
    distributions.delayed_change_count,
    distributions.delay_median_seconds,
    distributions.delay_p99_seconds,
    distributions.delay_max_seconds
from entities
cross join latest
left join last_loads on entities.entity = last_loads.entity
left join loads on last_loads.last_load_id = loads.load_id
left join distributions on entities.entity = distributions.entity
order by entities.entity
