with lines as (
    select
        lines.purchase_order_line_id,
        currencies.currency,
        -- The cost is per piece of the line; receipts are in the unit of the part.
        case when lines.quantity_due > 0 then lines.cost * lines.quantity_ordered / lines.quantity_due end as price
    from {{ ref('purchase_order_lines') }} as lines
    inner join {{ ref('stg_ion__purchase_orders') }} as orders on lines.purchase_order_id = orders.purchase_order_id
    left join {{ ref('stg_ion__currencies') }} as currencies on orders.currency_id = currencies.currency_id
),

items as (
    select
        items.part_inventory_id,
        items.quantity,
        case when lines.price is not null then lines.currency end as currency,
        case when lines.currency is not null then items.quantity * lines.price end as amount
    from {{ ref('stg_ion__receipt_items') }} as items
    left join lines on items.purchase_order_line_id = lines.purchase_order_line_id
    where items.part_inventory_id is not null
),

received as (
    select
        part_inventory_id,
        sum(quantity) as quantity
    from items
    group by part_inventory_id
),

by_currency as (
    select
        items.part_inventory_id,
        items.currency,
        case
            when items.currency is not null and received.quantity > 0
                then sum(items.amount) / received.quantity
        end as price
    from items
    inner join received on items.part_inventory_id = received.part_inventory_id
    group by items.part_inventory_id, items.currency, received.quantity
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
    by_currency.currency,
    by_currency.price
from origins
inner join by_currency on origins.origin_part_inventory_id = by_currency.part_inventory_id
where origins.place = 1
