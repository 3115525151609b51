-- Computes deliveries and supplier quality a second time, from ION's rows.
with received as (
    select
        coalesce(sum(quantity), 0) as quantity,
        coalesce(sum(abs(quantity)), 0) as volume
    from {{ source('ion', 'receipt_items') }}
    -- The date of items without a receipt is unknown; the test `items_without_receipt` lists them.
    where receipt_id in (select receipts.id from {{ source('ion', 'receipts') }} as receipts)
),

in_receipts as (
    select coalesce(sum(quantity), 0) as quantity
    from {{ ref('receipts') }}
),

in_supplier_quality as (
    select
        coalesce(sum(quantity_received - quantity_returned), 0) as quantity_received,
        coalesce(sum(
            quantity_rejected + quantity_rejected_beyond_receipts + quantity_rejected_not_received
            + quantity_rejected_in_use
        ), 0) as quantity_rejected
    from {{ ref('supplier_quality') }}
),

-- Units under a rejecting issue, with or without a receipt: at most their largest quantity under any of these issues
-- and, where no inventory split off them is rejected too, at least their smallest quantity.
rejected_units as (
    select
        part_inventory_id,
        greatest(min(quantity_affected), 0) as least,
        greatest(max(quantity_affected), 0) as most
    from {{ ref('issue_units') }}
    where is_rejected
    group by part_inventory_id
),

rejected as (
    select
        coalesce(sum(units.most), 0) as most,
        coalesce(sum(units.least) filter (
            where units.part_inventory_id not in (
                select origins.origin_part_inventory_id
                from {{ ref('int_inventories__split_origins') }} as origins
                inner join rejected_units as pieces on origins.part_inventory_id = pieces.part_inventory_id
                where origins.depth > 0
            )
        ), 0) as least
    from rejected_units as units
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

-- Each receipt instant with the total quantity received by then.
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

totals as (
    select
        lines.id,
        lines.quantity,
        case
            when lines.part_id is null or coalesce(lines.inventory_quantity, 0) <= 0 then lines.quantity
            else lines.inventory_quantity
        end as in_stock,
        lines.part_id is not null and coalesce(lines.inventory_quantity, 0) <= 0 as is_stock_unknown,
        lines.status = 'RECEIVED' as is_received,
        coalesce(sum(arrivals.quantity), 0) as came,
        max(arrivals.received_at) as last_at
    from {{ source('ion', 'purchase_order_lines') }} as lines
    left join arrivals on lines.id = arrivals.purchase_order_line_id
    group by all
),

-- The received quantity is compared with the line quantity if the two are equal, else with the inventory quantity.
measures as (
    select
        *,
        case
            when abs(came - quantity) <= 1e-9 * abs(quantity) then quantity
            when in_stock < quantity and came >= quantity then quantity
            else in_stock
        end as due,
        case
            when is_received then false
            when in_stock > quantity then abs(came - quantity) <= 1e-9 * abs(quantity)
            else came >= in_stock * (1 - 1e-9) and came < quantity * (1 - 1e-9)
        end as is_between
    from totals
),

-- The last instant at which a line was incomplete, and the first one after it.
lines_short as (
    select
        measures.id,
        max(so_far.received_at) filter (where so_far.quantity < measures.due * (1 - 1e-9)) as short_at
    from measures
    left join so_far on measures.id = so_far.purchase_order_line_id
    group by measures.id
),

lines_whole as (
    select
        measures.id,
        min(so_far.received_at) filter (
            where
            measures.quantity > 0 and (lines_short.short_at is null or so_far.received_at > lines_short.short_at)
        ) as whole_at
    from measures
    inner join lines_short on measures.id = lines_short.id
    left join so_far on measures.id = so_far.purchase_order_line_id
    group by measures.id
),

lines as (
    select
        measures.id,
        case
            when measures.is_between then null
            when
                measures.is_stock_unknown and measures.came > measures.quantity * (1 + 1e-9)
                and not (measures.is_received and lines_whole.whole_at is not distinct from measures.last_at)
                then null
            else lines_whole.whole_at
        end as whole_at
    from measures
    inner join lines_whole on measures.id = lines_whole.id
),

delivered as (
    select
        count(*) as lines_due,
        count(*) filter (where is_on_time) as lines_on_time
    from {{ ref('purchase_order_lines') }}
    where is_due
),

-- Ordered lines without a date of their own, in orders without a date.
unpromised as (
    select count(*) as lines_without_promise
    from {{ source('ion', 'purchase_order_lines') }} as lines
    left join {{ source('ion', 'purchase_orders') }} as orders on lines.purchase_order_id = orders.id
    where
        coalesce(lines.need_date, lines.estimated_arrival_date, orders.need_date, orders.estimated_arrival_date) is null
        and lines.status not in ('DRAFT', 'IN_REVIEW', 'REQUESTED', 'APPROVED', 'CANCELED')
        and orders.status is distinct from 'CANCELED'
),

in_delivery as (
    select
        coalesce(sum(lines_due), 0) as lines_due,
        coalesce(sum(lines_on_time), 0) as lines_on_time,
        coalesce(sum(lines_without_promise), 0) as lines_without_promise,
        coalesce(sum(
            lines_on_time + lines_late + lines_without_date + lines_in_unclear_units + lines_with_nothing_left
            + lines_within_tolerance
        ), 0) as lines_classified
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
    abs(received.quantity - in_receipts.quantity) > 1e-9 * received.volume
    or abs(received.quantity - in_supplier_quality.quantity_received) > 1e-9 * received.volume
union all
-- Each rejected piece counts once, inside or outside the ratio.
select
    'rejected' as what,
    null as finding
from rejected
cross join in_supplier_quality
where
    in_supplier_quality.quantity_rejected > rejected.most * (1 + 1e-9)
    or in_supplier_quality.quantity_rejected < rejected.least * (1 - 1e-9)
union all
select
    'due' as what,
    null as finding
from delivered
cross join in_delivery
cross join unpromised
where
    delivered.lines_due <> in_delivery.lines_due
    or delivered.lines_on_time <> in_delivery.lines_on_time
    or delivered.lines_due <> in_delivery.lines_classified
    or unpromised.lines_without_promise <> in_delivery.lines_without_promise
