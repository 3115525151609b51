{% set since_first_load = '> (select first_load.valid_from from first_load)' %}
{#- Events that ION or a load gives directly: rows, unit, type, key, time, its source, person, quantity, other unit. -#}
{% set direct = [
    ('lifetimes', 'part_inventory_id', "case when origin_part_inventory_id is null then 'created' else 'split_from' end",
        "'begin'", 'created_at', 'valid_from', 'created_by_id', 'first_quantity', 'origin_part_inventory_id'),
    ('lifetimes where origin_part_inventory_id is not null', 'origin_part_inventory_id', "'split_off'",
        'cast(part_inventory_id as string)', 'created_at', 'valid_from', 'created_by_id', '-first_quantity',
        'part_inventory_id'),
    ('lifetimes where gone_at is not null', 'part_inventory_id',
        "case when merged_into_part_inventory_id is null then 'deleted' else 'merged_into' end", "'end'",
        'null', 'gone_at', 'null', '-last_quantity', 'merged_into_part_inventory_id'),
    ('lifetimes where merged_into_part_inventory_id is not null', 'merged_into_part_inventory_id', "'merged_from'",
        'cast(part_inventory_id as string)', 'null', 'gone_at', 'null', 'last_quantity', 'part_inventory_id'),
    ('received', 'part_inventory_id', "'received'", 'receipt_key', 'received_at', 'null', 'received_by_id', 'quantity',
        'null'),
    ('installed', 'child_part_inventory_id', "'installed'", 'source_key', 'created_at', 'valid_from', 'created_by_id',
        'quantity', 'parent_part_inventory_id'),
    ('installed where removed_at is not null', 'child_part_inventory_id', "'removed'", 'source_key', 'null',
        'removed_at', 'null', '-quantity', 'parent_part_inventory_id'),
] %}

with first_load as (
    select * from {{ ref('int_loads__first') }}
),

lifetimes as (
    select * from {{ ref('int_inventories__lifetimes') }}
),

received as (
    select * from {{ ref('receipts') }}
    where part_inventory_id is not null
),

placements as (
    select
        abom_generation || ':' || abom_installation_id || ':' || parent_part_inventory_id as source_key,
        parent_part_inventory_id,
        child_part_inventory_id,
        rank() over (
            partition by abom_generation, abom_installation_id, child_part_inventory_id order by min(valid_from)
        ) as place,
        min(created_at) as created_at,
        min(created_by_id) as created_by_id,
        min(valid_from) as valid_from,
        nullif(max(valid_until), {{ end_of_time() }}) as removed_at,
        {{ first_of('quantity_installed', 'valid_from desc') }} as quantity
    from {{ ref('int_abom_history__lines') }}
    where child_part_inventory_id is not null
    group by abom_generation, abom_installation_id, parent_part_inventory_id, child_part_inventory_id
),

-- ION's row of an installation that moved to another unit is older than the move, of which only the load is known.
installed as (
    select
        source_key,
        parent_part_inventory_id,
        child_part_inventory_id,
        case when place = 1 then created_at end as created_at,
        case when place = 1 then created_by_id end as created_by_id,
        valid_from,
        removed_at,
        quantity
    from placements
),

events as (
    select
        *,
        cast(null as bigint) as related_part_inventory_id
    from {{ ref('int_inventories__changes') }}
    union all
    select
        part_inventory_id,
        'scrapped' as event_type,
        'v' || cast(version_number as string) as source_key,
        scrapped_at as occurred_at,
        'last change' as time_from,
        null as by_id,
        null as value_before,
        null as value_after,
        quantity_scrapped as quantity,
        is_from_history,
        null as related_part_inventory_id
    from {{ ref('int_inventories__scrap') }}
    {% for rows, unit, type, key, ion_time, load_time, person, quantity, other in direct %}
        union all
        select
            {{ unit }} as part_inventory_id,
            {{ type }} as event_type,
            {{ key }} as source_key,
            coalesce({{ ion_time }}, {{ load_time }}) as occurred_at,
            case when {{ ion_time }} is null then 'load' else 'ION' end as time_from,
            {{ person }} as by_id,
            null as value_before,
            null as value_after,
            {{ quantity }} as quantity,
            coalesce(coalesce({{ ion_time }}, {{ load_time }}) {{ since_first_load }}, false) as is_from_history,
            {{ other }} as related_part_inventory_id
        from {{ rows }}
    {% endfor %}
)

select
    events.part_inventory_id || '/' || events.event_type || '/' || events.source_key as event_key,
    events.part_inventory_id,
    lifetimes.part_id,
    parts.part_number,
    parts.part_revision,
    lifetimes.serial_number,
    lifetimes.lot_number,
    events.event_type,
    events.occurred_at,
    events.time_from,
    events.by_id,
    users.user_name as by_user,
    events.value_before,
    events.value_after,
    events.quantity,
    events.related_part_inventory_id,
    related.serial_number as related_serial_number,
    related.lot_number as related_lot_number,
    events.is_from_history,
    {{ is_export_controlled('part_inventories', 'events.part_inventory_id') }}
    or {{ is_export_controlled('part_inventories', 'events.related_part_inventory_id') }} as is_export_controlled
from events
inner join lifetimes on events.part_inventory_id = lifetimes.part_inventory_id
left join lifetimes as related on events.related_part_inventory_id = related.part_inventory_id
left join {{ ref('stg_ion__parts') }} as parts on lifetimes.part_id = parts.part_id
left join {{ ref('stg_ion__users') }} as users on events.by_id = users.user_id
order by events.part_inventory_id, events.occurred_at, event_key
