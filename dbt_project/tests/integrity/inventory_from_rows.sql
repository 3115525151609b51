-- Computes the stock of each part a second time, from ION's rows, and compares the marts with each other.
with stock as (
    select
        inventories.part_id,
        sum(inventories.quantity_available) as quantity_available,
        sum(case when inventories.status = 'ON_ORDER' then inventories.quantity else 0 end) as quantity_on_order,
        sum(case
            when inventories.status in ('ON_ORDER', 'SCRAPPED') then 0
            when inventories.quantity > coalesce(inventories.quantity_installed, 0)
                then inventories.quantity - coalesce(inventories.quantity_installed, 0)
            else 0
        end) as quantity_in_stock
    from {{ source('ion', 'part_inventories') }} as inventories
    left join {{ source('ion', 'parts') }} as parts on inventories.part_id = parts.id
    where
        inventories.unit_of_measure_id is null
        or inventories.unit_of_measure_id is not distinct from parts.unit_of_measure_id
    group by inventories.part_id
),

valued as (
    select
        part_id,
        sum(quantity) as quantity
    from {{ ref('inventory_valuation') }}
    where is_current
    group by part_id
),

ordered as (
    select
        *,
        lag(to_on) over (partition by part_id, cost_basis, currency order by from_on) as last_to_on
    from {{ ref('inventory_valuation') }}
)

select
    'health' as what,
    coalesce(stock.part_id, found.part_id) as finding
from stock
full outer join {{ ref('inventory_health') }} as found on stock.part_id is not distinct from found.part_id
where
    found.inventory_health_key is null
    or abs(coalesce(stock.quantity_available, 0) - found.quantity_available)
    > 1e-9 * abs(found.quantity_available)
    or abs(coalesce(stock.quantity_on_order, 0) - found.quantity_on_order) > 1e-9 * abs(found.quantity_on_order)
    or abs(coalesce(stock.quantity_in_stock, 0) - found.quantity_in_stock) > 1e-9 * abs(found.quantity_in_stock)
union all
select
    'part' as what,
    parts.id as finding
from {{ source('ion', 'parts') }} as parts
left join {{ ref('inventory_health') }} as found on parts.id = found.part_id
where found.part_id is null
union all
-- The valuation is rounded to six digits, once per change.
select
    'valuation' as what,
    coalesce(valued.part_id, found.part_id) as finding
from valued
full outer join {{ ref('inventory_health') }} as found on valued.part_id is not distinct from found.part_id
where
    abs(coalesce(valued.quantity, 0) - coalesce(found.quantity_in_stock, 0))
    > 1e-5 + 1e-9 * coalesce(found.quantity_in_stock, 0)
union all
select
    'period' as what,
    part_id as finding
from ordered
where to_on < from_on or from_on <= last_to_on
