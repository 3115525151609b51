-- Counts the lines, fees and requests of each order a second time, from ION's rows, and adds up the marts of its lines.
with lines as (
    select
        purchase_order_id,
        count(*) as line_count,
        count(*) filter (where status = 'RECEIVED') as lines_received,
        count(*) filter (where status = 'CANCELED') as lines_cancelled,
        sum(case when status is distinct from 'CANCELED' then estimated_cost end) as lines_estimated_cost
    from {{ source('ion', 'purchase_order_lines') }}
    group by purchase_order_id
),

fees as (
    select
        purchase_order_id,
        count(*) as fee_count,
        sum(case when type = 'CURRENCY' then value end) as fee_amount,
        sum(case when type = 'PERCENTAGE' then value end) as fee_percentage
    from {{ source('ion', 'purchase_order_fees') }}
    group by purchase_order_id
),

requests as (
    select
        purchase_order_id,
        count(*) as approvals_requested,
        sum(case when status is null or status = 'PENDING' then 1 else 0 end) as approvals_pending,
        min(case when status is null or status = 'PENDING' then _created end) as waiting_since_at
    from {{ source('ion', 'purchase_order_approval_requests') }}
    group by purchase_order_id
),

-- Each line expected is in exactly one state of receipt.
expected as (
    select
        purchase_order_id,
        sum(case when is_ordered and quantity_ordered > 0 then 1 else 0 end) as lines_expected
    from {{ ref('purchase_order_lines') }}
    group by purchase_order_id
),

orders as (
    select
        orders.id as purchase_order_id,
        orders.status,
        lines.lines_estimated_cost,
        fees.fee_amount,
        fees.fee_percentage,
        requests.waiting_since_at,
        coalesce(lines.line_count, 0) as line_count,
        coalesce(lines.lines_received, 0) as lines_received,
        coalesce(lines.lines_cancelled, 0) as lines_cancelled,
        coalesce(fees.fee_count, 0) as fee_count,
        coalesce(requests.approvals_requested, 0) as approvals_requested,
        coalesce(requests.approvals_pending, 0) as approvals_pending,
        coalesce(expected.lines_expected, 0) as lines_expected
    from {{ source('ion', 'purchase_orders') }} as orders
    left join lines on orders.id = lines.purchase_order_id
    left join fees on orders.id = fees.purchase_order_id
    left join requests on orders.id = requests.purchase_order_id
    left join expected on orders.id = expected.purchase_order_id
)

select
    orders.purchase_order_id as in_ion,
    found.purchase_order_id as in_mart
from orders
full outer join {{ ref('purchase_orders') }} as found on orders.purchase_order_id = found.purchase_order_id
where
    orders.purchase_order_id is null
    or found.purchase_order_id is null
    or (orders.status is not null and orders.status is distinct from found.status)
    or orders.line_count <> found.line_count
    or orders.lines_received <> found.lines_received
    or orders.lines_cancelled <> found.lines_cancelled
    or orders.fee_count <> found.fee_count
    {% for amount in ['lines_estimated_cost', 'fee_amount', 'fee_percentage'] %}
        or (orders.{{ amount }} is null) <> (found.{{ amount }} is null)
        or abs(orders.{{ amount }} - found.{{ amount }}) > 1e-9 * abs(orders.{{ amount }})
    {% endfor %}
    or orders.approvals_requested <> found.approvals_requested
    or orders.approvals_pending <> found.approvals_pending
    or orders.waiting_since_at is distinct from found.approval_waiting_since_at
    or orders.lines_expected <> found.lines_expected
    or found.lines_expected
    <> found.lines_complete + found.lines_partly_received + found.lines_not_received + found.lines_closed_short
    or (found.lines_complete_share = 1) is distinct from
    (nullif(found.lines_expected, 0) = found.lines_complete)
