with lines as (
    select
        *,
        {{ period_start('month', 'promised_on') }} as month_starts_on
    from {{ ref('purchase_order_lines') }}
    where is_due
),

-- A line without a promised date has no due month: it counts in the month it was ordered, else the month the line was
-- created, else the month of the last load.
unpromised as (
    select
        lines.supplier_id,
        lines.supplier_name,
        coalesce(
            {{ production_month('coalesce(lines.ordered_at, lines.created_at)') }},
            {{ period_start('month', last_loaded_day()) }}
        ) as month_starts_on,
        count(*) as lines_without_promise
    from {{ ref('purchase_order_lines') }} as lines
    where lines.is_without_promise
    group by lines.supplier_id, lines.supplier_name, month_starts_on
),

due as (
    select
        supplier_id,
        supplier_name,
        month_starts_on,
        count(*) as lines_due,
        count(*) filter (where is_on_time) as lines_on_time,
        count(*) filter (where not is_on_time) as lines_late,
        count(*) filter (where not is_on_time and fully_received_at is null and not is_closed) as lines_late_and_open,
        count(*) filter (where not is_on_time and fully_received_at is null and is_closed) as lines_closed_short,
        count(*) filter (where not_judged_because = 'received without date') as lines_without_date,
        count(*) filter (where not_judged_because = 'unit unclear') as lines_in_unclear_units,
        count(*) filter (where not_judged_because = 'nothing left to deliver') as lines_with_nothing_left,
        count(*) filter (where is_on_time is null and not_judged_because is null) as lines_within_tolerance,
        cast(sum(days_late) filter (where not is_on_time) as bigint) as late_days,
        avg(days_late) filter (where not is_on_time) as mean_late_days,
        max(days_late) filter (where not is_on_time) as most_late_days
    from lines
    group by supplier_id, supplier_name, month_starts_on
),

both_kinds as (
    select
        coalesce(due.supplier_id, unpromised.supplier_id) as supplier_id,
        coalesce(due.supplier_name, unpromised.supplier_name) as supplier_name,
        coalesce(due.month_starts_on, unpromised.month_starts_on) as month_starts_on,
        {% for column in [
            'lines_due', 'lines_on_time', 'lines_late', 'lines_late_and_open', 'lines_closed_short',
            'lines_without_date', 'lines_in_unclear_units', 'lines_with_nothing_left', 'lines_within_tolerance',
            'late_days'
        ] %}
            coalesce(due.{{ column }}, 0) as {{ column }},
        {% endfor %}
        coalesce(unpromised.lines_without_promise, 0) as lines_without_promise,
        due.mean_late_days,
        due.most_late_days
    from due
    full outer join unpromised
        on
            due.supplier_id is not distinct from unpromised.supplier_id
            and due.month_starts_on = unpromised.month_starts_on
)

select
    coalesce(cast(supplier_id as string), '') || '/' || {{ date_label('month_starts_on', '%Y-%m') }}
        as supplier_delivery_key,
    supplier_id,
    supplier_name,
    month_starts_on,
    lines_due,
    lines_on_time,
    lines_late,
    lines_late_and_open,
    lines_closed_short,
    lines_without_date,
    lines_in_unclear_units,
    lines_with_nothing_left,
    lines_within_tolerance,
    lines_without_promise,
    lines_on_time + lines_late as lines_judged,
    lines_on_time / nullif(lines_on_time + lines_late, 0) as on_time_rate,
    late_days,
    mean_late_days,
    most_late_days
from both_kinds
order by month_starts_on, supplier_name, supplier_id
