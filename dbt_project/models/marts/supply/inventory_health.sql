with parts as (
    select * from {{ ref('parts') }}
),

inventories as (
    select * from {{ ref('part_inventories') }}
),

purchases as (
    select * from {{ ref('int_supply__purchase_costs') }}
),

loads as (
    select max(read_at) as as_of_at from {{ ref('stg_ion__loads') }}
),

-- What is installed is stock no longer. Inventory in another unit than its part is counted, and left out of all sums.
stock as (
    select
        inventories.*,
        (inventories.unit_of_measure is not distinct from parts.unit_of_measure) as is_in_unit,
        case
            when inventories.status in ('ON_ORDER', 'SCRAPPED') then 0
            else greatest(coalesce(inventories.quantity, 0) - coalesce(inventories.quantity_installed, 0), 0)
        end as quantity_in_stock,
        {{ hours_between('coalesce(purchases.received_at, inventories.created_at)', 'loads.as_of_at') }}
        / 24 as age_days
    from inventories
    cross join loads
    left join parts on inventories.part_id = parts.part_id
    left join purchases on inventories.part_inventory_id = purchases.part_inventory_id
),

of_stock as (
    select
        part_id,
        count(*) filter (where quantity_in_stock > 0) as inventory_count,
        count(*) filter (where not is_in_unit) as inventories_in_other_units,
        sum(quantity_in_stock) filter (where is_in_unit) as quantity_in_stock,
        sum(quantity_available) filter (where is_in_unit) as quantity_available,
        sum(quantity) filter (where is_in_unit and status = 'UNAVAILABLE') as quantity_unavailable,
        sum(quantity) filter (where is_in_unit and status = 'WIP') as quantity_in_work,
        sum(quantity_kitted) filter (where is_in_unit) as quantity_kitted,
        sum(quantity_installed) filter (where is_in_unit) as quantity_installed,
        sum(quantity_scrapped) filter (where is_in_unit) as quantity_scrapped,
        sum(quantity) filter (where is_in_unit and status = 'ON_ORDER') as quantity_on_order,
        max(age_days) filter (where quantity_in_stock > 0) as oldest_age_days,
        sum(age_days * quantity_in_stock) filter (where is_in_unit) as piece_days,
        bool_or(is_export_controlled) as is_export_controlled
    from stock
    group by part_id
),

reserved as (
    select
        stock.part_id,
        sum(reservations.quantity) as quantity_reserved
    from {{ ref('stg_ion__plan_reservations') }} as reservations
    inner join stock on reservations.part_inventory_id = stock.part_inventory_id
    where stock.is_in_unit
    group by stock.part_id
),

wanted as (
    select
        part_id,
        sum(quantity_short) as quantity_wanted_by_kits
    from {{ ref('kit_items') }}
    where is_kit_open
    group by part_id
),

incoming as (
    select
        part_id,
        count(*) as order_lines_open,
        count(*) filter (where quantity_due is null) as order_lines_in_unclear_units,
        sum(greatest(quantity_due - quantity_received, 0)) as quantity_outstanding,
        min(promised_on) as next_promised_on
    from {{ ref('purchase_order_lines') }}
    where is_ordered and not is_closed and fully_received_at is null
    group by part_id
)

select
    coalesce(cast(coalesce(parts.part_id, of_stock.part_id) as string), '') as inventory_health_key,
    coalesce(parts.part_id, of_stock.part_id) as part_id,
    parts.part_number,
    parts.part_revision,
    parts.part_description,
    parts.is_latest_revision,
    parts.unit_of_measure,
    parts.lead_time,
    coalesce(of_stock.inventory_count, 0) as inventory_count,
    coalesce(of_stock.inventories_in_other_units, 0) as inventories_in_other_units,
    coalesce(of_stock.quantity_in_stock, 0) as quantity_in_stock,
    coalesce(of_stock.quantity_available, 0) as quantity_available,
    coalesce(of_stock.quantity_unavailable, 0) as quantity_unavailable,
    coalesce(of_stock.quantity_in_work, 0) as quantity_in_work,
    coalesce(of_stock.quantity_kitted, 0) as quantity_kitted,
    coalesce(of_stock.quantity_installed, 0) as quantity_installed,
    coalesce(of_stock.quantity_scrapped, 0) as quantity_scrapped,
    coalesce(reserved.quantity_reserved, 0) as quantity_reserved,
    coalesce(of_stock.quantity_on_order, 0) as quantity_on_order,
    coalesce(incoming.quantity_outstanding, 0) as quantity_outstanding,
    coalesce(incoming.order_lines_open, 0) as order_lines_open,
    coalesce(incoming.order_lines_in_unclear_units, 0) as order_lines_in_unclear_units,
    incoming.next_promised_on,
    coalesce(wanted.quantity_wanted_by_kits, 0) as quantity_wanted_by_kits,
    greatest(coalesce(wanted.quantity_wanted_by_kits, 0) - coalesce(of_stock.quantity_available, 0), 0)
        as quantity_short_for_kits,
    of_stock.oldest_age_days,
    of_stock.piece_days / nullif(of_stock.quantity_in_stock, 0) as mean_age_days,
    parts.cost as standard_cost,
    of_stock.quantity_in_stock * parts.cost as standard_value,
    loads.as_of_at,
    coalesce(parts.is_export_controlled, false) or coalesce(of_stock.is_export_controlled, false)
        as is_export_controlled
from parts
full outer join of_stock on parts.part_id = of_stock.part_id
cross join loads
left join reserved on coalesce(parts.part_id, of_stock.part_id) = reserved.part_id
left join wanted on coalesce(parts.part_id, of_stock.part_id) = wanted.part_id
left join incoming on coalesce(parts.part_id, of_stock.part_id) = incoming.part_id
order by parts.part_number, parts.part_revision, coalesce(parts.part_id, of_stock.part_id)
