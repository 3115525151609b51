with receipts as (
    select * from {{ ref('receipts') }}
    where receipt_item_id is not null
),

rejected_units as (
    select * from {{ ref('int_quality__rejected_units') }}
    where counted_as = 'received'
),

rejected_pieces as (
    select
        received_part_inventory_id as part_inventory_id,
        sum(quantity) as quantity
    from rejected_units
    group by received_part_inventory_id
),

named_items as (
    select distinct receipts.receipt_item_id
    from receipts
    inner join rejected_units
        on
            receipts.part_inventory_id = rejected_units.received_part_inventory_id
            and receipts.purchase_order_line_id = rejected_units.purchase_order_line_id
),

-- Rejected pieces are assigned to receipts of their inventory: receipts of the issue's own order line first, then the
-- oldest.
filled as (
    select
        receipts.receipt_item_id,
        rejected_pieces.quantity,
        greatest(receipts.quantity, 0) as quantity_came,
        coalesce(sum(greatest(receipts.quantity, 0)) over (
            partition by receipts.part_inventory_id
            order by named_items.receipt_item_id is null, receipts.received_at, receipts.receipt_item_id
            rows between unbounded preceding and 1 preceding
        ), 0) as quantity_before,
        row_number() over (
            partition by receipts.part_inventory_id
            order by named_items.receipt_item_id is null, receipts.received_at, receipts.receipt_item_id
        ) as place,
        sum(greatest(receipts.quantity, 0)) over (partition by receipts.part_inventory_id) as quantity_in_all
    from receipts
    inner join rejected_pieces on receipts.part_inventory_id = rejected_pieces.part_inventory_id
    left join named_items on receipts.receipt_item_id = named_items.receipt_item_id
)

select
    receipt_item_id,
    least(greatest(quantity - quantity_before, 0), quantity_came) as quantity,
    case when place = 1 then greatest(quantity - quantity_in_all, 0) else 0 end as quantity_beyond
from filled
