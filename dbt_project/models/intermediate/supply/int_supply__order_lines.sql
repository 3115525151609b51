with lines as (
    select * from {{ ref('stg_ion__purchase_order_lines') }}
),

orders as (
    select * from {{ ref('stg_ion__purchase_orders') }}
),

with_order as (
    select
        lines.*,
        orders.supplier_id,
        orders.currency_id,
        orders.ordered_at,
        orders.needed_at as order_needed_at,
        orders.estimated_arrival_at as order_estimated_arrival_at,
        coalesce(
            lines.status not in ('DRAFT', 'IN_REVIEW', 'REQUESTED', 'APPROVED', 'CANCELED')
            and orders.status is distinct from 'CANCELED', true
        ) as is_ordered,
        coalesce(lines.status = 'RECEIVED' or not lines.is_open or not orders.is_open, false) as is_closed,
        -- Values of the line take precedence over values of its order.
        case
            when {{ organization_setting('on_time_basis') }} = 'need_date' and lines.needed_at is not null
                then 'line need_date'
            when lines.estimated_arrival_at is not null then 'line estimated_arrival_date'
            when lines.needed_at is not null then 'line need_date'
            when {{ organization_setting('on_time_basis') }} = 'need_date' and orders.needed_at is not null
                then 'order need_date'
            when orders.estimated_arrival_at is not null then 'order estimated_arrival_date'
            when orders.needed_at is not null then 'order need_date'
        end as promise_from
    from lines
    left join orders on lines.purchase_order_id = orders.purchase_order_id
)

select
    *,
    case promise_from
        when 'line need_date' then needed_at
        when 'line estimated_arrival_date' then estimated_arrival_at
        when 'order need_date' then order_needed_at
        when 'order estimated_arrival_date' then order_estimated_arrival_at
    end as promised_at
from with_order
