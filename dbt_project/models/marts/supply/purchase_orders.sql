with orders as (
    select * from {{ ref('stg_ion__purchase_orders') }}
),

of_lines as (
    select * from {{ ref('int_supply__order_progress') }}
),

fees as (
    select * from {{ ref('stg_ion__purchase_order_fees') }}
),

requests as (
    select * from {{ ref('stg_ion__purchase_order_approval_requests') }}
),

approvals as (
    select * from {{ ref('stg_ion__purchase_order_approvals') }}
),

suppliers as (
    select * from {{ ref('stg_ion__suppliers') }}
),

currencies as (
    select * from {{ ref('stg_ion__currencies') }}
),

locations as (
    select * from {{ ref('stg_ion__locations') }}
),

users as (
    select * from {{ ref('stg_ion__users') }}
),

attribute_maps as (
    {{ attribute_maps('purchase_order') }}
),

of_fees as (
    select
        purchase_order_id,
        count(*) as fee_count,
        sum(value) filter (where purchase_order_fee_type = 'CURRENCY') as fee_amount,
        sum(value) filter (where purchase_order_fee_type = 'PERCENTAGE') as fee_percentage
    from fees
    group by purchase_order_id
),

of_requests as (
    select
        requests.purchase_order_id,
        count(*) as approvals_requested,
        count(*) filter (where requests.status = 'APPROVED') as approvals_given,
        count(*) filter (where coalesce(requests.status, 'PENDING') = 'PENDING') as approvals_pending,
        count(*) filter (where requests.status = 'REJECTED') as approvals_rejected,
        min(requests.created_at) filter (where coalesce(requests.status, 'PENDING') = 'PENDING') as waiting_since_at,
        {{ ids_of("case when coalesce(requests.status, 'PENDING') = 'PENDING' then users.user_name end") }}
            as waiting_for
    from requests
    left join users on requests.reviewer_id = users.user_id
    group by requests.purchase_order_id
),

of_approvals as (
    select
        purchase_order_id,
        max(created_at) filter (where status = 'APPROVED') as last_approved_at
    from approvals
    group by purchase_order_id
)

select
    orders.purchase_order_id,
    orders.purchase_order_description,
    orders.supplier_id,
    suppliers.supplier_name,
    coalesce(orders.status, of_lines.status_from_lines) as status,
    orders.status is null as is_status_computed_here,
    orders.is_open,
    orders.is_approved,
    orders.is_paid,
    orders.assigned_to_id,
    assignees.user_name as assigned_to,
    orders.ordered_at,
    orders.needed_at,
    orders.estimated_arrival_at,
    ship_to.location_name as ship_to_location,
    bill_to.location_name as bill_to_location,
    {{ words_of('orders.supplier_instructions') }} as supplier_instructions,
    currencies.currency,
    orders.estimated_cost,
    orders.estimated_total_cost,
    of_lines.lines_estimated_cost,
    coalesce(of_fees.fee_count, 0) as fee_count,
    of_fees.fee_amount,
    of_fees.fee_percentage,
    coalesce(of_requests.approvals_requested, 0) as approvals_requested,
    coalesce(of_requests.approvals_given, 0) as approvals_given,
    coalesce(of_requests.approvals_pending, 0) as approvals_pending,
    coalesce(of_requests.approvals_rejected, 0) as approvals_rejected,
    of_requests.waiting_since_at as approval_waiting_since_at,
    coalesce(of_requests.waiting_for, {{ empty_list() }}) as approval_waiting_for,
    {{ list_text('of_requests.waiting_for') }} as approval_waiting_for_text,
    of_approvals.last_approved_at,
    coalesce(of_lines.line_count, 0) as line_count,
    coalesce(of_lines.lines_not_ordered, 0) as lines_not_ordered,
    coalesce(of_lines.lines_ordered, 0) as lines_ordered,
    coalesce(of_lines.lines_received, 0) as lines_received,
    coalesce(of_lines.lines_cancelled, 0) as lines_cancelled,
    coalesce(of_lines.lines_expected, 0) as lines_expected,
    coalesce(of_lines.lines_complete, 0) as lines_complete,
    coalesce(of_lines.lines_partly_received, 0) as lines_partly_received,
    coalesce(of_lines.lines_not_received, 0) as lines_not_received,
    coalesce(of_lines.lines_closed_short, 0) as lines_closed_short,
    coalesce(of_lines.lines_overdue, 0) as lines_overdue,
    coalesce(of_lines.lines_without_value, 0) as lines_without_value,
    cast(of_lines.lines_complete as double) / nullif(of_lines.lines_expected, 0) as lines_complete_share,
    of_lines.cost_expected,
    of_lines.cost_received,
    case when of_lines.lines_without_value = 0 then of_lines.cost_received / nullif(of_lines.cost_expected, 0) end
        as cost_received_share,
    of_lines.next_promised_on,
    of_lines.last_promised_on,
    of_lines.first_received_at,
    attribute_maps.attributes,
    orders.created_at,
    creators.user_name as created_by,
    orders.updated_at
from orders
left join of_lines on orders.purchase_order_id = of_lines.purchase_order_id
left join of_fees on orders.purchase_order_id = of_fees.purchase_order_id
left join of_requests on orders.purchase_order_id = of_requests.purchase_order_id
left join of_approvals on orders.purchase_order_id = of_approvals.purchase_order_id
left join suppliers on orders.supplier_id = suppliers.supplier_id
left join currencies on orders.currency_id = currencies.currency_id
left join locations as ship_to on orders.ship_to_location_id = ship_to.location_id
left join locations as bill_to on orders.bill_to_location_id = bill_to.location_id
left join users as assignees on orders.assigned_to_id = assignees.user_id
left join users as creators on orders.created_by_id = creators.user_id
left join attribute_maps on orders.purchase_order_id = attribute_maps.owner_id
order by orders.purchase_order_id
