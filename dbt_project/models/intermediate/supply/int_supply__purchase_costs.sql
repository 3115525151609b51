with origins as (
    select * from {{ ref('int_inventories__split_origins') }}
),

receipts as (
    select * from {{ ref('receipts') }}
    where part_inventory_id is not null and quantity > 0
),

lines as (
    select * from {{ ref('purchase_order_lines') }}
),

-- The cost of a line is per unit of the supplier; the quantity due is in the unit of the part, as receipts are.
priced as (
    select
        receipts.part_inventory_id,
        receipts.received_at,
        receipts.quantity,
        lines.currency,
        lines.cost * lines.quantity_ordered / nullif(lines.quantity_due, 0) as cost_per_piece
    from receipts
    left join lines on receipts.purchase_order_line_id = lines.purchase_order_line_id
),

-- Prices in several currencies, or of which one is unknown, give no average.
received as (
    select
        part_inventory_id,
        min(received_at) as received_at,
        case
            when count(*) = count(cost_per_piece) and count(distinct coalesce(currency, '')) = 1
                then sum(cost_per_piece * quantity) / sum(quantity)
        end as cost_per_piece,
        case when count(distinct coalesce(currency, '')) = 1 then min(currency) end as currency
    from priced
    group by part_inventory_id
),

nearest as (
    select
        origins.part_inventory_id,
        min(origins.depth) as depth
    from origins
    inner join received on origins.origin_part_inventory_id = received.part_inventory_id
    group by origins.part_inventory_id
)

select
    origins.part_inventory_id,
    received.part_inventory_id as received_part_inventory_id,
    received.received_at,
    received.cost_per_piece,
    received.currency
from nearest
inner join origins on nearest.part_inventory_id = origins.part_inventory_id and nearest.depth = origins.depth
inner join received on origins.origin_part_inventory_id = received.part_inventory_id
