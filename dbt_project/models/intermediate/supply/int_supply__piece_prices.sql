with lines as (
    select
        purchase_order_line_id,
        currency,
        -- The cost is per piece of the line; receipts are in the unit of the part.
        case when quantity_due > 0 then cost * quantity_ordered / quantity_due end as price
    from {{ ref('purchase_order_lines') }}
),

receipts as (
    select * from {{ ref('stg_ion__receipts') }}
),

items as (
    select
        items.part_inventory_id,
        items.quantity,
        receipts.received_at,
        case when lines.price is not null then lines.currency end as currency,
        case when lines.currency is not null then items.quantity * lines.price end as amount
    from {{ ref('stg_ion__receipt_items') }} as items
    left join receipts on items.receipt_id = receipts.receipt_id
    left join lines on items.purchase_order_line_id = lines.purchase_order_line_id
    where items.part_inventory_id is not null
),

-- A return is a negative quantity: what was paid is paid for what was kept. What was returned as a whole cost, while it
-- was here, what had been paid for it.
received as (
    select
        part_inventory_id,
        min(received_at) filter (where quantity > 0) as received_at,
        sum(quantity) > 0 as is_kept,
        case
            when sum(quantity) > 0 then sum(quantity)
            else sum(quantity) filter (where quantity > 0)
        end as pieces
    from items
    group by part_inventory_id
    having max(quantity) > 0
),

by_currency as (
    select
        items.part_inventory_id,
        received.received_at,
        items.currency,
        case when items.currency is not null then sum(items.amount) / received.pieces end as price
    from items
    inner join received on items.part_inventory_id = received.part_inventory_id
    where received.is_kept or items.quantity > 0
    group by items.part_inventory_id, items.currency, received.received_at, received.pieces
    having sum(items.quantity) <> 0
),

-- What was split off costs what the whole did: the nearest inventory before it that was received.
origins as (
    select
        origins.part_inventory_id,
        origins.origin_part_inventory_id,
        row_number() over (
            partition by origins.part_inventory_id order by origins.depth asc, origins.origin_part_inventory_id asc
        ) as place
    from {{ ref('int_inventories__split_origins') }} as origins
    inner join received on origins.origin_part_inventory_id = received.part_inventory_id
)

select
    origins.part_inventory_id,
    by_currency.received_at,
    by_currency.currency,
    by_currency.price
from origins
inner join by_currency on origins.origin_part_inventory_id = by_currency.part_inventory_id
where origins.place = 1
