with lines as (
    select
        *,
        {{ period_start('month', 'promised_on') }} as month_starts_on
    from {{ ref('purchase_order_lines') }}
    where is_due
),

by_supplier as (
    select
        supplier_id,
        supplier_name,
        month_starts_on,
        count(*) as lines_due,
        count(*) filter (where is_on_time) as lines_on_time,
        count(*) filter (where not is_on_time) as lines_late,
        count(*) filter (where not is_on_time and fully_received_at is null) as lines_late_and_open,
        count(*) filter (where is_received_without_date) as lines_without_date,
        count(*) filter (where is_on_time is null and not is_received_without_date) as lines_within_tolerance,
        cast(sum(days_late) filter (where not is_on_time) as bigint) as late_days,
        avg(days_late) filter (where not is_on_time) as mean_late_days,
        max(days_late) filter (where not is_on_time) as most_late_days
    from lines
    group by supplier_id, supplier_name, month_starts_on
)

select
    coalesce(cast(supplier_id as varchar), '') || '/' || {{ date_label('month_starts_on', '%Y-%m') }}
        as supplier_delivery_key,
    supplier_id,
    supplier_name,
    month_starts_on,
    lines_due,
    lines_on_time,
    lines_late,
    lines_late_and_open,
    lines_without_date,
    lines_within_tolerance,
    lines_on_time + lines_late as lines_judged,
    lines_on_time / nullif(lines_on_time + lines_late, 0) as on_time_rate,
    coalesce(late_days, 0) as late_days,
    mean_late_days,
    most_late_days
from by_supplier
order by month_starts_on, supplier_name, supplier_id
