-- Deliveries and supplier quality again, from ION's rows.
with received as (
    select coalesce(sum(quantity), 0) as quantity
    from {{ source('ion', 'receipt_items') }}
),

in_receipts as (
    select coalesce(sum(quantity), 0) as quantity
    from {{ ref('receipts') }}
),

in_supplier_quality as (
    select
        coalesce(sum(quantity_received - quantity_returned), 0) as quantity_received,
        coalesce(sum(quantity_rejected + quantity_rejected_beyond_receipts), 0) as quantity_rejected
    from {{ ref('supplier_quality') }}
),

-- Every unit under a rejecting issue that came in through a receipt, itself or what it was split from.
rejected as (
    select coalesce(sum(units.quantity_affected), 0) as quantity
    from (
        select distinct
            part_inventory_id,
            quantity_affected
        from {{ ref('issue_units') }}
        where is_rejected
    ) as units
    where
        exists (
            select 1
            from {{ ref('int_inventories__split_origins') }} as origins
            inner join {{ source('ion', 'receipt_items') }} as items
                on origins.origin_part_inventory_id = items.part_inventory_id
            where origins.part_inventory_id = units.part_inventory_id
        )
),

arrivals as (
    select
        items.purchase_order_line_id,
        items.quantity,
        receipts.received_at
    from {{ source('ion', 'receipt_items') }} as items
    inner join {{ source('ion', 'receipts') }} as receipts on items.receipt_id = receipts.id
),

instants as (
    select distinct
        purchase_order_line_id,
        received_at
    from arrivals
),

-- Each instant of a receipt with all that had arrived by then.
so_far as (
    select
        instants.purchase_order_line_id,
        instants.received_at,
        sum(arrivals.quantity) as quantity
    from instants
    inner join arrivals
        on
            instants.purchase_order_line_id = arrivals.purchase_order_line_id
            and instants.received_at >= arrivals.received_at
    group by instants.purchase_order_line_id, instants.received_at
),

-- The last instant at which a line was short, and the first one after it.
lines_short as (
    select
        lines.id,
        max(so_far.received_at) filter (where so_far.quantity < lines.quantity * (1 - 1e-9)) as short_at
    from {{ source('ion', 'purchase_order_lines') }} as lines
    left join so_far on lines.id = so_far.purchase_order_line_id
    group by lines.id
),

lines as (
    select
        lines.id,
        min(so_far.received_at) filter (
            where
            lines.quantity > 0 and (lines_short.short_at is null or so_far.received_at > lines_short.short_at)
        ) as whole_at
    from {{ source('ion', 'purchase_order_lines') }} as lines
    inner join lines_short on lines.id = lines_short.id
    left join so_far on lines.id = so_far.purchase_order_line_id
    group by lines.id
),

delivered as (
    select
        count(*) as lines_due,
        count(*) filter (where is_on_time) as lines_on_time
    from {{ ref('purchase_order_lines') }}
    where is_due
),

in_delivery as (
    select
        coalesce(sum(lines_due), 0) as lines_due,
        coalesce(sum(lines_on_time), 0) as lines_on_time,
        coalesce(sum(lines_on_time + lines_late + lines_without_date + lines_within_tolerance), 0) as lines_told
    from {{ ref('supplier_delivery') }}
)

select
    'line' as what,
    lines.id as finding
from lines
full outer join {{ ref('purchase_order_lines') }} as found on lines.id = found.purchase_order_line_id
where
    lines.whole_at is distinct from found.fully_received_at
    or lines.id is null
    or found.purchase_order_line_id is null
union all
select
    'received' as what,
    null as finding
from received
cross join in_receipts
cross join in_supplier_quality
where
    abs(received.quantity - in_receipts.quantity) > 1e-6 * greatest(received.quantity, 1)
    or abs(received.quantity - in_supplier_quality.quantity_received) > 1e-6 * greatest(received.quantity, 1)
union all
-- Some of these were found after they had been used, so there may be fewer.
select
    'rejected' as what,
    null as finding
from rejected
cross join in_supplier_quality
where in_supplier_quality.quantity_rejected > rejected.quantity * (1 + 1e-9)
union all
select
    'due' as what,
    null as finding
from delivered
cross join in_delivery
where
    delivered.lines_due <> in_delivery.lines_due
    or delivered.lines_on_time <> in_delivery.lines_on_time
    or delivered.lines_due <> in_delivery.lines_told
