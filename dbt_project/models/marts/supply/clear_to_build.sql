with shares as (
    select * from {{ ref('int_supply__shares') }}
),

consumers as (
    select * from {{ ref('int_supply__consumers') }}
),

parts as (
    select * from {{ ref('parts') }}
),

-- The delivery that a need waits for is the last one that it takes from.
awaited as (
    select
        shares.*,
        incoming.source_type as awaited_type,
        incoming.source_id as awaited_id,
        incoming.coming_at
    from shares
    left join {{ ref('int_supply__incoming') }} as incoming
        on
            shares.part_id = incoming.part_id
            and incoming.source_type <> 'on_hand'
            and shares.quantity_incoming > 0
            and shares.share_until > incoming.quantity_from
            and shares.share_until <= incoming.quantity_until
),

elsewhere as (
    select distinct stock.part_id
    from {{ ref('part_inventories') }} as stock
    inner join parts on stock.part_id = parts.part_id
    where
        stock.status = 'AVAILABLE'
        and stock.unit_of_measure is distinct from parts.unit_of_measure
),

judged as (
    select
        *,
        case when is_made and quantity is not null then 0 else quantity_missing - quantity_substituted end
            as quantity_short,
        case when is_made or quantity is null then quantity_missing else 0 end as quantity_to_make
    from awaited
),

dated as (
    select
        *,
        case
            when quantity_short is null or quantity_short > 1e-9 * quantity then null
            when quantity_incoming > 0 and coming_at is null then null
            -- What is late comes today at the earliest.
            else greatest(coalesce({{ production_day('coming_at') }}, {{ last_loaded_day() }}), {{ last_loaded_day() }})
        end as clear_on
    from judged
)

select
    consumers.consumer_type
    || ':' || cast(consumers.consumer_id as string)
    || ':' || coalesce(cast(dated.notable_part_id as string), '')
    || ':' || coalesce(cast(dated.parent_part_id as string), '')
    || ':' || cast(dated.part_id as string) as clear_to_build_key,
    consumers.allocation_order,
    consumers.consumer_type,
    consumers.consumer_id,
    consumers.consumer_name,
    consumers.status as consumer_status,
    consumers.part_id as consumer_part_id,
    built.part_number as consumer_part_number,
    built.part_revision as consumer_part_revision,
    consumers.needed_at,
    dated.notable_part_id,
    notable.part_number as notable_part_number,
    dated.parent_part_id,
    parents.part_number as parent_part_number,
    dated.part_id,
    parts.part_number,
    parts.part_revision,
    parts.part_description,
    parts.unit_of_measure,
    dated.is_made,
    dated.quantity as quantity_needed,
    dated.quantity_on_hand,
    dated.quantity_incoming,
    dated.awaited_type,
    dated.awaited_id,
    dated.coming_at,
    dated.quantity_to_make,
    dated.substitute_part_id,
    substitutes.part_number as substitute_part_number,
    dated.quantity_substituted,
    dated.quantity_short,
    elsewhere.part_id is not null as has_stock_in_other_units,
    dated.clear_on,
    case
        when count(*) over consumer = count(dated.clear_on) over consumer then max(dated.clear_on) over consumer
    end as consumer_clear_on,
    coalesce(consumers.is_export_controlled or parts.is_export_controlled, false)
    or coalesce(built.is_export_controlled, false)
    or coalesce(parents.is_export_controlled, false)
    or coalesce(notable.is_export_controlled, false)
    or coalesce(substitutes.is_export_controlled, false)
    or coalesce(dated.awaited_type = 'run' and {{ is_export_controlled('runs', 'dated.awaited_id') }}, false)
    or coalesce(
        dated.awaited_type = 'purchase_order_line'
        and {{ is_export_controlled('purchase_order_lines', 'dated.awaited_id') }}, false
    ) as is_export_controlled
from dated
inner join consumers on dated.allocation_order = consumers.allocation_order
left join parts on dated.part_id = parts.part_id
left join parts as built on consumers.part_id = built.part_id
left join parts as parents on dated.parent_part_id = parents.part_id
left join parts as notable on dated.notable_part_id = notable.part_id
left join parts as substitutes on dated.substitute_part_id = substitutes.part_id
left join elsewhere on dated.part_id = elsewhere.part_id
window consumer as (partition by consumers.allocation_order)
order by consumers.allocation_order, notable.part_number, parts.part_number, dated.part_id, dated.parent_part_id
