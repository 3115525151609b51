with lines as (
    select * from {{ ref('purchase_order_lines') }}
),

measured as (
    select
        *,
        is_ordered and quantity_ordered > 0 as is_expected,
        coalesce(fully_received_at is not null or status = 'RECEIVED', false) as is_complete,
        case
            when fully_received_at is not null or status = 'RECEIVED' then 1.0
            when quantity_received <= 0 then 0.0
            when quantity_due > 0 then least(quantity_received / quantity_due, 1.0)
        end as received_share
    from lines
),

-- Quantities are never added: the lines of an order are in different units. Counts and costs are.
of_lines as (
    select
        purchase_order_id,
        count(*) as line_count,
        count(*) filter (where status in ('DRAFT', 'IN_REVIEW', 'REQUESTED', 'APPROVED')) as lines_not_ordered,
        count(*) filter (where status in ('ORDERED', 'PARTIALLY_RECEIVED')) as lines_ordered,
        count(*) filter (where status = 'RECEIVED') as lines_received,
        count(*) filter (where status = 'CANCELED') as lines_cancelled,
        count(*) filter (where is_expected) as lines_expected,
        count(*) filter (where is_expected and is_complete) as lines_complete,
        count(*) filter (where is_expected and not is_complete and is_closed) as lines_closed_short,
        count(*) filter (where is_expected and not is_complete and not is_closed and quantity_received > 0)
            as lines_partly_received,
        count(*) filter (where is_expected and not is_complete and not is_closed and quantity_received <= 0)
            as lines_not_received,
        count(*) filter (where is_expected and not is_complete and not is_closed and is_on_time = false)
            as lines_overdue,
        sum(estimated_cost) filter (where status is distinct from 'CANCELED') as lines_estimated_cost,
        sum(estimated_cost) filter (where is_expected) as cost_expected,
        sum(estimated_cost * received_share) filter (where is_expected) as cost_received,
        count(*) filter (where is_expected and (estimated_cost is null or received_share is null))
            as lines_without_value,
        min(promised_on) filter (where is_expected and not is_complete and not is_closed) as next_promised_on,
        max(promised_on) filter (where is_expected) as last_promised_on,
        min(first_received_at) as first_received_at,
        count(*) filter (where quantity_received > 0 or quantity_received_in_ion > 0) as lines_with_receipts
    from measured
    group by purchase_order_id
)

select
    *,
    -- As ION computes it.
    case
        when line_count = lines_cancelled then 'CANCELED'
        when line_count = lines_cancelled + lines_received then 'RECEIVED'
        when lines_received > 0 or lines_with_receipts > 0 then 'PARTIALLY_RECEIVED'
        when lines_ordered > 0 then 'ORDERED'
    end as status_from_lines
from of_lines
