with lines as (
    select * from {{ ref('stg_ion__purchase_order_lines') }}
),

arrivals as (
    select
        purchase_order_line_id,
        received_at,
        sum(quantity) over (
            partition by purchase_order_line_id
            order by received_at
            range between unbounded preceding and current row
        ) as quantity_so_far
    from {{ ref('receipts') }}
    where purchase_order_line_id is not null
),

totals as (
    select
        purchase_order_line_id,
        {{ first_of('quantity_so_far', 'received_at desc') }} as quantity_received,
        min(received_at) as first_received_at,
        max(received_at) as last_received_at
    from arrivals
    group by purchase_order_line_id
),

-- Floating-point sums may miss a quantity by less than a billionth of it. The line quantity is in the supplier's unit,
-- receipts are in the part's unit; ION's inventory quantity is the line quantity in the part's unit. A service has no
-- inventory.
measured as (
    select
        lines.purchase_order_line_id,
        lines.status = 'RECEIVED' as is_received,
        lines.quantity,
        case when lines.part_id is not null and lines.inventory_quantity > 0 then lines.inventory_quantity end
            as inventory_quantity,
        lines.part_id is not null as is_stocked,
        coalesce(totals.quantity_received, 0) as quantity_received,
        totals.first_received_at,
        totals.last_received_at,
        coalesce(totals.quantity_received, 0) >= lines.quantity * (1 - 1e-9) as reaches_line,
        coalesce(totals.quantity_received, 0) > lines.quantity * (1 + 1e-9) as exceeds_line
    from lines
    left join totals on lines.purchase_order_line_id = totals.purchase_order_line_id
),

-- Where the two quantities differ, receipts may be in either unit: a total equal to the line quantity is taken to be in
-- the unit of the line.
due as (
    select
        *,
        case
            when inventory_quantity is null then quantity
            when inventory_quantity > quantity and reaches_line and not exceeds_line then quantity
            when inventory_quantity < quantity and reaches_line then quantity
            else inventory_quantity
        end as quantity_due
    from measured
),

reached as (
    select
        due.purchase_order_line_id,
        max(arrivals.received_at) filter (where arrivals.quantity_so_far < due.quantity_due * (1 - 1e-9))
            as incomplete_at,
        min(arrivals.received_at) filter (where arrivals.quantity_so_far >= due.quantity_due * (1 - 1e-9))
            as first_whole_at
    from due
    inner join arrivals on due.purchase_order_line_id = arrivals.purchase_order_line_id
    group by due.purchase_order_line_id
),

-- The instant since which the line is complete: everything that was returned has been delivered again.
whole as (
    select
        due.purchase_order_line_id,
        min(arrivals.received_at) as whole_at
    from due
    inner join reached on due.purchase_order_line_id = reached.purchase_order_line_id
    inner join arrivals on due.purchase_order_line_id = arrivals.purchase_order_line_id
    where due.quantity > 0 and coalesce(arrivals.received_at > reached.incomplete_at, true)
    group by due.purchase_order_line_id
),

judged as (
    select
        due.*,
        whole.whole_at,
        coalesce(due.quantity > 0 and reached.first_whole_at is not null, false) as was_whole,
        case
            when not due.is_stocked then false
            -- More was received than the line quantity: either too much, or in another unit. If it all came at once and
            -- ION marks the line as received, it is complete in either unit.
            when due.inventory_quantity is null
                then due.exceeds_line and not (due.is_received and whole.whole_at = due.last_received_at)
            when due.is_received then false
            when due.inventory_quantity > due.quantity then due.reaches_line and not due.exceeds_line
            when due.inventory_quantity < due.quantity
                then not due.reaches_line and due.quantity_received >= due.inventory_quantity * (1 - 1e-9)
            else false
        end as is_unit_unclear
    from due
    left join reached on due.purchase_order_line_id = reached.purchase_order_line_id
    left join whole on due.purchase_order_line_id = whole.purchase_order_line_id
)

select
    purchase_order_line_id,
    case when not coalesce(is_unit_unclear, false) then quantity_due end as quantity_due,
    coalesce(is_unit_unclear, false) as is_unit_unclear,
    quantity_received,
    first_received_at,
    case when not coalesce(is_unit_unclear, false) then whole_at end as fully_received_at,
    was_whole and not coalesce(is_unit_unclear, false) as was_whole
from judged
