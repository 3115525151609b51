with receipts as (
    select * from {{ ref('receipts') }}
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

received_inventories as (
    select distinct part_inventory_id
    from receipts
    where part_inventory_id is not null
),

-- Pieces that were split off belong to what they were received as.
families as (
    select
        origins.part_inventory_id,
        received_inventories.part_inventory_id as received_part_inventory_id,
        row_number() over (partition by origins.part_inventory_id order by origins.depth) as nearness
    from origins
    inner join received_inventories on origins.origin_part_inventory_id = received_inventories.part_inventory_id
),

findings as (
    select
        families.received_part_inventory_id,
        families.part_inventory_id,
        receipts.receipt_item_id
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
),

rejected_inventories as (
    select distinct
        received_part_inventory_id,
        part_inventory_id
    from findings
),

rejected_pieces as (
    select
        rejected_inventories.received_part_inventory_id as part_inventory_id,
        sum(pieces.quantity) as quantity
    from rejected_inventories
    inner join pieces on rejected_inventories.part_inventory_id = pieces.part_inventory_id
    group by rejected_inventories.received_part_inventory_id
),

named_items as (
    select distinct receipt_item_id
    from findings
    where receipt_item_id is not null
),

-- Rejected pieces fill the receipts they can have come with: those of an issue's own order line first, then the oldest.
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
