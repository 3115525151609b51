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

latest as (
    select max(read_at) as read_at from loads
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
    {{ hours_between('entities.watermark_at', 'latest.read_at') }} as lag_hours
from entities
cross join latest
left join last_loads on entities.entity = last_loads.entity
left join loads on last_loads.last_load_id = loads.load_id
order by entities.entity
