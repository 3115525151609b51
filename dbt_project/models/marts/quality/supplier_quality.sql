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

by_supplier as (
    select
        receipts.supplier_id,
        receipts.supplier_name,
        receipts.part_number,
        receipts.month_starts_on,
        count(*) as receipt_item_count,
        count(*) filter (where rejected.quantity > 0) as rejected_receipt_item_count,
        coalesce(sum(greatest(receipts.quantity, 0)), 0) as quantity_received,
        coalesce(sum(greatest(-receipts.quantity, 0)), 0) as quantity_returned,
        coalesce(sum(rejected.quantity), 0) as quantity_rejected,
        coalesce(sum(rejected.quantity_beyond), 0) as quantity_rejected_beyond_receipts
    from receipts
    left join rejected on receipts.receipt_item_id = rejected.receipt_item_id
    group by receipts.supplier_id, receipts.supplier_name, receipts.part_number, receipts.month_starts_on
)

select
    coalesce(cast(supplier_id as varchar), '') || '/' || coalesce(part_number, '') || '/'
    || {{ date_label('month_starts_on', '%Y-%m') }} as supplier_quality_key,
    *,
    quantity_rejected / nullif(quantity_received, 0) * 1000000 as ppm
from by_supplier
order by month_starts_on, supplier_name, supplier_id, part_number
