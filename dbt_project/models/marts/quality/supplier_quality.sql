with receipts as (
    select
        *,
        {{ production_month('received_at') }} as month_starts_on
    from {{ ref('receipts') }}
    where receipt_item_id is not null
),

pieces as (
    select * from {{ ref('int_inventories__pieces') }}
),

origins as (
    select * from {{ ref('int_inventories__split_origins') }}
),

issue_units as (
    select * from {{ ref('issue_units') }}
    where is_rejected
),

issues as (
    select * from {{ ref('stg_ion__issues') }}
),

first_uses as (
    select
        child_part_inventory_id as part_inventory_id,
        min(installed_at) as first_used_at
    from {{ ref('int_abom__lines') }}
    where child_part_inventory_id is not null
    group by child_part_inventory_id
),

-- Inventory received on several receipts belongs to the first.
received_inventories as (
    select
        part_inventory_id,
        {{ first_of('receipt_item_id', 'received_at, receipt_item_id') }} as receipt_item_id
    from receipts
    where part_inventory_id is not null
    group by part_inventory_id
),

-- Pieces that were split off belong to what they were received as.
families as (
    select
        origins.part_inventory_id,
        received_inventories.part_inventory_id as received_part_inventory_id,
        received_inventories.receipt_item_id,
        row_number() over (partition by origins.part_inventory_id order by origins.depth) as nearness
    from origins
    inner join received_inventories on origins.origin_part_inventory_id = received_inventories.part_inventory_id
),

findings as (
    select
        families.receipt_item_id,
        families.part_inventory_id,
        issue_units.issue_id
    from families
    inner join issue_units on families.part_inventory_id = issue_units.part_inventory_id
    inner join issues on issue_units.issue_id = issues.issue_id
    left join first_uses on families.part_inventory_id = first_uses.part_inventory_id
    left join receipts
        on
            families.received_part_inventory_id = receipts.part_inventory_id
            and issues.purchase_order_line_id = receipts.purchase_order_line_id
    where
        families.nearness = 1
        and (
            receipts.receipt_item_id is not null
            or coalesce(issues.created_at < first_uses.first_used_at, true)
        )
    group by families.receipt_item_id, families.part_inventory_id, issue_units.issue_id
),

rejected_pieces as (
    select
        findings.receipt_item_id,
        findings.part_inventory_id,
        any_value(pieces.quantity) as quantity
    from findings
    inner join pieces on findings.part_inventory_id = pieces.part_inventory_id
    group by findings.receipt_item_id, findings.part_inventory_id
),

rejected as (
    select
        receipt_item_id,
        sum(quantity) as quantity,
        count(*) as inventory_count
    from rejected_pieces
    group by receipt_item_id
),

by_supplier as (
    select
        receipts.supplier_id,
        receipts.supplier_name,
        receipts.part_number,
        receipts.month_starts_on,
        count(*) as receipt_item_count,
        count(rejected.receipt_item_id) as rejected_receipt_item_count,
        sum(receipts.quantity) as quantity_received,
        coalesce(sum(rejected.quantity), 0) as quantity_rejected
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
