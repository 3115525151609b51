{{ config(materialized='table') }}

with units as (
    select
        units.issue_id,
        units.part_inventory_id,
        units.opened_at,
        issues.purchase_order_line_id,
        quantities.quantity
    from {{ ref('int_issues__units') }} as units
    inner join {{ ref('int_issues__dispositions') }} as dispositions on units.issue_id = dispositions.issue_id
    inner join {{ ref('stg_ion__issues') }} as issues on units.issue_id = issues.issue_id
    inner join {{ ref('int_issues__affected_quantities') }} as quantities
        on units.issue_id = quantities.issue_id and units.part_inventory_id = quantities.part_inventory_id
    where dispositions.is_rejected and quantities.quantity is not null
),

origins as (
    select * from {{ ref('int_inventories__split_origins') }}
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
    select distinct
        part_inventory_id,
        purchase_order_line_id
    from {{ ref('receipts') }}
    where part_inventory_id is not null
),

-- Pieces that were split off belong to the inventory that was received.
families as (
    select
        origins.part_inventory_id,
        {{ first_of('origins.origin_part_inventory_id', 'origins.depth') }} as received_part_inventory_id
    from origins
    inner join received_inventories on origins.origin_part_inventory_id = received_inventories.part_inventory_id
    group by origins.part_inventory_id
),

judged as (
    select
        units.*,
        families.received_part_inventory_id,
        case
            when families.received_part_inventory_id is null then 'not received'
            when lines.part_inventory_id is not null then 'received'
            when coalesce(units.opened_at < first_uses.first_used_at, true) then 'received'
            else 'in use'
        end as counted_as
    from units
    left join families on units.part_inventory_id = families.part_inventory_id
    left join first_uses on units.part_inventory_id = first_uses.part_inventory_id
    left join received_inventories as lines
        on
            families.received_part_inventory_id = lines.part_inventory_id
            and units.purchase_order_line_id = lines.purchase_order_line_id
),

-- A piece is rejected once, by the first issue that counts, even if other issues name it.
numbered as (
    select
        *,
        row_number() over (
            partition by part_inventory_id
            order by counted_as <> 'received', opened_at, issue_id
        ) as place
    from judged
),

firsts as (
    select * from numbered
    where place = 1
),

-- A piece must not count both with its lot and with an inventory split off the lot that another issue names.
splits as (
    select
        origins.origin_part_inventory_id,
        pieces.quantity,
        pieces.issue_id,
        pieces.part_inventory_id,
        row_number() over (partition by pieces.part_inventory_id order by origins.depth) as nearness
    from firsts as pieces
    inner join origins on pieces.part_inventory_id = origins.part_inventory_id and origins.depth > 0
    inner join firsts as lots
        on origins.origin_part_inventory_id = lots.part_inventory_id and origins.split_at > lots.opened_at
    left join units as under_same
        on lots.issue_id = under_same.issue_id and pieces.part_inventory_id = under_same.part_inventory_id
    where under_same.issue_id is null
),

elsewhere as (
    select
        origin_part_inventory_id as part_inventory_id,
        sum(quantity) as quantity
    from splits
    where nearness = 1
    group by origin_part_inventory_id
)

select
    firsts.part_inventory_id,
    firsts.issue_id,
    firsts.opened_at,
    firsts.purchase_order_line_id,
    firsts.received_part_inventory_id,
    firsts.counted_as,
    greatest(firsts.quantity - coalesce(elsewhere.quantity, 0), 0) as quantity
from firsts
left join elsewhere on firsts.part_inventory_id = elsewhere.part_inventory_id
