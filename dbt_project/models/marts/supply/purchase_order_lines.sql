with lines as (
    select
        *,
        case
            when {{ organization_setting('on_time_basis') }} = 'need_date'
                then coalesce(needed_at, estimated_arrival_at)
            else coalesce(estimated_arrival_at, needed_at)
        end as promised_at
    from {{ ref('stg_ion__purchase_order_lines') }}
),

orders as (
    select * from {{ ref('stg_ion__purchase_orders') }}
),

parts as (
    select * from {{ ref('stg_ion__parts') }}
),

suppliers as (
    select * from {{ ref('stg_ion__suppliers') }}
),

currencies as (
    select * from {{ ref('stg_ion__currencies') }}
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

-- Until then less than the ordered quantity had arrived, or had been sent back. Sums of fractions may miss it by less
-- than a billionth of it.
incomplete as (
    select
        arrivals.purchase_order_line_id,
        max(arrivals.received_at) as incomplete_at
    from arrivals
    inner join lines on arrivals.purchase_order_line_id = lines.purchase_order_line_id
    where arrivals.quantity_so_far < lines.quantity * (1 - 1e-9)
    group by arrivals.purchase_order_line_id
),

received as (
    select
        arrivals.purchase_order_line_id,
        {{ first_of('arrivals.quantity_so_far', 'arrivals.received_at desc') }} as quantity_received,
        min(arrivals.received_at) as first_received_at,
        min(arrivals.received_at) filter (
            where
            lines.quantity > 0
            and coalesce(arrivals.received_at > incomplete.incomplete_at, true)
        ) as fully_received_at
    from arrivals
    inner join lines on arrivals.purchase_order_line_id = lines.purchase_order_line_id
    left join incomplete on arrivals.purchase_order_line_id = incomplete.purchase_order_line_id
    group by arrivals.purchase_order_line_id
),

dated as (
    select
        lines.*,
        orders.supplier_id,
        orders.currency_id,
        orders.ordered_at,
        coalesce(lines.status not in ('DRAFT', 'REQUESTED', 'APPROVED', 'CANCELED'), true) as is_ordered,
        received.quantity_received as quantity_in_receipts,
        received.first_received_at,
        received.fully_received_at,
        -- ION calls it received, and no receipt tells when.
        received.fully_received_at is null
        and (lines.status = 'RECEIVED' or lines.received_quantity >= lines.quantity * (1 - 1e-9))
            as is_received_undated,
        -- Midnight UTC is a date, and the same day everywhere.
        case
            when {{ is_utc_midnight('lines.promised_at') }} then {{ day_in_zone('lines.promised_at', "'UTC'") }}
            else {{ production_day('lines.promised_at') }}
        end as promised_on,
        {{ production_day('received.fully_received_at') }} as fully_received_on
    from lines
    left join orders on lines.purchase_order_id = orders.purchase_order_id
    left join received on lines.purchase_order_line_id = received.purchase_order_line_id
),

judged as (
    select
        *,
        coalesce(is_received_undated, false) as is_undated,
        -- Where nothing was ordered, nothing is left to deliver.
        is_ordered and quantity > 0 and promised_on <= {{ last_loaded_day() }} as is_due,
        promised_on + cast({{ organization_setting('on_time_tolerance_days') }} as integer) as on_time_until_on
    from dated
)

select
    judged.purchase_order_line_id,
    judged.purchase_order_id,
    judged.supplier_id,
    suppliers.supplier_name,
    judged.status,
    judged.position,
    judged.part_id,
    parts.part_number,
    parts.part_revision,
    judged.line_description,
    judged.quantity as quantity_ordered,
    coalesce(judged.quantity_in_receipts, 0) as quantity_received,
    judged.received_quantity as quantity_received_in_ion,
    judged.cost,
    judged.estimated_cost,
    currencies.currency,
    judged.ordered_at,
    judged.needed_at,
    judged.estimated_arrival_at,
    judged.promised_at,
    judged.promised_on,
    judged.first_received_at,
    judged.fully_received_at,
    judged.is_ordered,
    coalesce(judged.is_due, false) as is_due,
    judged.is_ordered and judged.promised_on is null as is_without_promise,
    judged.is_undated as is_received_without_date,
    case
        when not judged.is_ordered or judged.is_undated or judged.promised_on is null then null
        when judged.fully_received_on is not null then judged.fully_received_on <= judged.on_time_until_on
        when {{ last_loaded_day() }} > judged.on_time_until_on then false
    end as is_on_time,
    case
        when not judged.is_ordered or judged.is_undated then null
        when judged.fully_received_on is not null then judged.fully_received_on - judged.promised_on
        when judged.is_due then {{ last_loaded_day() }} - judged.promised_on
    end as days_late,
    judged.updated_at,
    coalesce(judged.is_export_controlled, false) as is_export_controlled
from judged
left join parts on judged.part_id = parts.part_id
left join suppliers on judged.supplier_id = suppliers.supplier_id
left join currencies on judged.currency_id = currencies.currency_id
order by judged.purchase_order_line_id
