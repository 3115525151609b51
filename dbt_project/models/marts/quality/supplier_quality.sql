with receipts as (
    select
        *,
        {{ production_month('received_at') }} as month_starts_on
    from {{ ref('receipts') }}
    where receipt_item_id is not null
),

rejected as (
    select * from {{ ref('int_quality__rejected_receipts') }}
),

lines as (
    select * from {{ ref('int_supply__order_lines') }}
),

pieces as (
    select * from {{ ref('int_inventories__pieces') }}
),

suppliers as (
    select * from {{ ref('stg_ion__suppliers') }}
),

-- Rejected pieces outside the ratio: no receipt contains them, or they were found in use.
left_out as (
    select
        coalesce(lines.supplier_id, pieces.supplier_id, received_as.supplier_id) as supplier_id,
        pieces.part_number,
        units.counted_as,
        units.quantity,
        coalesce({{ production_month('units.opened_at') }}, {{ period_start('month', last_loaded_day()) }})
            as month_starts_on
    from {{ ref('int_quality__rejected_units') }} as units
    inner join pieces on units.part_inventory_id = pieces.part_inventory_id
    left join pieces as received_as on units.received_part_inventory_id = received_as.part_inventory_id
    left join lines on units.purchase_order_line_id = lines.purchase_order_line_id
    where units.counted_as <> 'received'
),

both_kinds as (
    select
        receipts.supplier_id,
        receipts.part_number,
        receipts.month_starts_on,
        1 as receipt_item_count,
        case when rejected.quantity > 0 then 1 else 0 end as rejected_receipt_item_count,
        greatest(receipts.quantity, 0) as quantity_received,
        greatest(-receipts.quantity, 0) as quantity_returned,
        coalesce(rejected.quantity, 0) as quantity_rejected,
        coalesce(rejected.quantity_beyond, 0) as quantity_rejected_beyond_receipts,
        0 as quantity_rejected_not_received,
        0 as quantity_rejected_in_use
    from receipts
    left join rejected on receipts.receipt_item_id = rejected.receipt_item_id
    union all
    select
        supplier_id,
        part_number,
        month_starts_on,
        0 as receipt_item_count,
        0 as rejected_receipt_item_count,
        0 as quantity_received,
        0 as quantity_returned,
        0 as quantity_rejected,
        0 as quantity_rejected_beyond_receipts,
        case when counted_as = 'not received' then quantity else 0 end as quantity_rejected_not_received,
        case when counted_as = 'in use' then quantity else 0 end as quantity_rejected_in_use
    from left_out
),

by_supplier as (
    select
        supplier_id,
        part_number,
        month_starts_on,
        cast(sum(receipt_item_count) as bigint) as receipt_item_count,
        cast(sum(rejected_receipt_item_count) as bigint) as rejected_receipt_item_count,
        coalesce(sum(quantity_received), 0) as quantity_received,
        coalesce(sum(quantity_returned), 0) as quantity_returned,
        sum(quantity_rejected) as quantity_rejected,
        sum(quantity_rejected_beyond_receipts) as quantity_rejected_beyond_receipts,
        sum(quantity_rejected_not_received) as quantity_rejected_not_received,
        sum(quantity_rejected_in_use) as quantity_rejected_in_use
    from both_kinds
    group by supplier_id, part_number, month_starts_on
)

select
    coalesce(cast(by_supplier.supplier_id as string), '') || '/' || coalesce(by_supplier.part_number, '') || '/'
    || {{ date_label('by_supplier.month_starts_on', '%Y-%m') }} as supplier_quality_key,
    by_supplier.supplier_id,
    suppliers.supplier_name,
    by_supplier.part_number,
    by_supplier.month_starts_on,
    by_supplier.receipt_item_count,
    by_supplier.rejected_receipt_item_count,
    by_supplier.quantity_received,
    by_supplier.quantity_returned,
    by_supplier.quantity_rejected,
    by_supplier.quantity_rejected_beyond_receipts,
    by_supplier.quantity_rejected_not_received,
    by_supplier.quantity_rejected_in_use,
    by_supplier.quantity_rejected / nullif(by_supplier.quantity_received, 0) * 1000000 as ppm
from by_supplier
left join suppliers on by_supplier.supplier_id = suppliers.supplier_id
order by by_supplier.month_starts_on, suppliers.supplier_name, by_supplier.supplier_id, by_supplier.part_number
